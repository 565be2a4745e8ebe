"""The atlas in figures, and what true traits say of it.

    python -m jobs.report_atlas run=runs/demo
    python -m serve.export --bundle runs/demo        # the atlas as a page to look at and to send

Reads `<run>/atlas`, `<run>/vae`, the dictionary that the atlas is of, `<run>/latents` and `<run>/data`; writes
`<run>/atlas_report/`: `report.json`, and as PNG what the dictionary keeps of pictures (`reconstruction`) and what
taking the surest features out does (`ablations`). Where the source has traits they are read for this report only;
nothing reads the report.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from jobs import build_atlas, encode_latents, prepare_data, train_vae
from jobs.runtime.cluster import driver_device
from jobs.runtime.dictionary import chosen_dictionary
from jobs.runtime.stage import Stage, complete, run_command, say
from swiggle.atlas.atlas import Atlas
from swiggle.atlas.cards import ABLATIONS
from swiggle.atlas.feature_figures import ablation_grid, reconstruction_grid
from swiggle.atlas.label import UNEXPLAINED
from swiggle.atlas.previews import ablate
from swiggle.atlas.tile_sheet import tiles_of
from swiggle.composition import Composition
from swiggle.config import RunConfig
from swiggle.data.latents import latents_of_ids
from swiggle.data.pixels import resize
from swiggle.data.reading import TraitsMissing, enlarge, first_with_pictures, read_pictures
from swiggle.evaluation.atlas_measures import (
    label_measures,
    leading_places,
    map_measures,
    slot_agreement,
    slot_named,
    subject_measures,
)
from swiggle.evaluation.causal_slots import Readings, causal_slots, read_ablations
from swiggle.evaluation.truth import composed, true_traits
from swiggle.models.vae import VAE, to_images
from swiggle.sae.model import SparseAutoencoder
from swiggle.storage import join, local_copy, publish

SHOWN, FEATURED = 12, 3
"""Pictures and features in the figures."""
READ = 3
"""Top pictures of a feature from which its slot is read."""
SUBJECTS, SUBJECT_PICTURES = 50, 9
"""Features of the subject that are taken out, the best first, and of how many pictures each."""


class Ablations:
    """Takes features out of their top pictures and reads what is left."""

    def __init__(self, composition: Composition, atlas: Atlas, vae: VAE, sae: SparseAutoencoder, latents: Path) -> None:
        self.composition, self.atlas, self.vae, self.sae = composition, atlas, vae, sae
        self.activations = atlas.table["example_activations"].to_pylist()
        self.ids, self.latents = latents_of_ids(latents, np.unique(np.concatenate(atlas.example_ids).astype(np.int64)))

    def read(self, features: list[int], pictures: int) -> Readings:
        """Readings with and without each feature, of so many of its top pictures."""
        shown, before, after = [], [], []
        for feature in features:
            rows = np.searchsorted(self.ids, self.atlas.example_ids[feature][:pictures])
            z = torch.from_numpy(self.latents[rows]).view(-1, *self.vae.latent_shape)
            found = ablate(self.vae, self.sae, feature, z, torch.tensor(self.activations[feature][:pictures]))
            shown += [feature] * len(rows)
            before += [resize(picture, self.composition.size) for picture in found.before]
            after += [resize(picture, self.composition.size) for picture in found.after]
        return read_ablations(self.composition, np.array(shown), np.stack(before), np.stack(after))


def by_traits(atlas: Atlas, ablations: Ablations) -> tuple[dict[str, dict[str, float]], np.ndarray]:
    """Scores that need true traits, and the slot that each feature changes."""
    composition = ablations.composition
    live = np.flatnonzero(atlas.density > 0).tolist()
    slots = causal_slots(ablations.read(live, READ), len(atlas))
    f1 = atlas.table["f1"].to_numpy()
    rules = atlas.table["rule"].to_pylist()
    subjects = [i for i, place in enumerate(atlas.places) if place == composition.subject]
    subjects = sorted(subjects, key=lambda i: (-f1[i], i))[:SUBJECTS]
    positions = np.stack([atlas.table["x"].to_numpy(), atlas.table["y"].to_numpy()], axis=1)
    scores = {
        "slots": {
            **slot_agreement(leading_places(rules), slots, composition.slots),
            "named_among_others": slot_named(rules, slots, composition.slots),
        },
        "map": map_measures(positions, atlas.table["group"].to_pylist(), slots, composition.slots),
    }
    if subjects:  # labels may name none
        read = ablations.read(subjects, SUBJECT_PICTURES)
        scores[f"{composition.subject}s"] = subject_measures(read, subjects, composition)
    return scores, slots


@torch.inference_mode()
def figures(atlas: Atlas, atlas_folder: Path, vae: VAE, sae: SparseAutoencoder, data: Path) -> dict[str, bytes]:
    """PNG by name."""
    shown = data / first_with_pictures(data, "test", "validation", "train")
    originals = enlarge(read_pictures(shown, vae.config.image_size, SHOWN).images, vae.config.image_size)
    z = vae.encode(vae.pictures(originals)).mean
    rebuilt = sae(z.flatten(1))[0].view_as(z)
    rows = {"original": originals, "VAE": to_images(vae.decode(z)), "VAE and SAE": to_images(vae.decode(rebuilt))}
    best = sorted(range(len(atlas)), key=lambda i: (-atlas.confidence[i], i))[:FEATURED]
    sheets = pq.read_table(atlas_folder / ABLATIONS)["ablation"]
    grids = {f"{atlas.labels[i]}, feature {i}": tiles_of(sheets[i].as_py()) for i in best if sheets[i].as_py()}
    return {"reconstruction": reconstruction_grid(rows), **({"ablations": ablation_grid(grids)} if grids else {})}


def work(config: RunConfig, key: str) -> dict[str, Any]:
    with (
        local_copy(join(config.run, "atlas")) as atlas_folder,
        local_copy(join(config.run, "vae")) as vae_folder,
        local_copy(chosen_dictionary(config)[0]) as sae_folder,
        local_copy(join(config.run, "latents")) as latents,
        local_copy(join(config.run, "data")) as data,
        publish(join(config.run, "atlas_report")) as folder,
    ):
        atlas = Atlas.load(atlas_folder)
        device = driver_device(config)
        vae, sae = VAE.from_pretrained(vae_folder, device), SparseAutoencoder.from_pretrained(sae_folder, device)
        report: dict[str, Any] = {
            "labels": label_measures(atlas.labels, atlas.table["f1"].to_numpy(), atlas.density > 0, atlas.confidence)
        }
        try:
            composition = composed(config.data.source)
            true_traits(data / "test", composition)
        except TraitsMissing as unknown:
            say(STAGE.name, f"no scores of traits: {unknown}")
        else:
            found, slots = by_traits(atlas, Ablations(composition, atlas, vae, sae, latents))
            report |= found
            report["causal_slots"] = slots.tolist()
        for name, png in figures(atlas, atlas_folder, vae, sae, data).items():
            (folder / f"{name}.png").write_bytes(png)
        (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    shown = ("agreement", "purity", "chance", "removed", "kept")
    return {
        "unexplained": sum(label == UNEXPLAINED for label in atlas.labels),
        **{
            f"{kind}_{name}": value
            for kind, scores in report.items()
            if isinstance(scores, dict) and kind != "labels"
            for name, value in scores.items()
            if name in shown
        },
    }


STAGE = Stage(
    "report_atlas",
    (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE, build_atlas.STAGE),
    lambda c: {},
    work,
    either=build_atlas.DICTIONARIES,
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
