"""A page about a sweep: every dictionary's scores beside baselines, with true traits where they are known.

    python -m jobs.report_sae run=runs/demo        # then open runs/demo/sae_report/index.html

Reads `<run>/sweep_report`, `<run>/latents`, `<run>/vae` and `<run>/data`; writes `<run>/sae_report/`: `index.html`,
which needs no server and no network, and `report.json`. Traits are read for this report only; nothing reads the
report, and no dictionary is chosen by it.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch

from jobs import encode_latents, prepare_data, sweep_sae, train_vae
from jobs.runtime.cluster import connect, driver_device, granted_device, quiet
from jobs.runtime.stage import Stage, complete, run_command, say
from swiggle.config import RunConfig
from swiggle.data.latents import read_latents
from swiggle.data.reading import TraitsMissing, read_pictures
from swiggle.evaluation.additive import fit_additive
from swiggle.evaluation.baselines import baseline_codes
from swiggle.evaluation.dictionary_scores import Code, code_of, code_scores
from swiggle.evaluation.group_edits import group_moves, value_means
from swiggle.evaluation.native_pictures import NativePictures, resized
from swiggle.evaluation.single_directions import single_directions
from swiggle.evaluation.trait_edits import Pairs, draw_pairs, score_edited
from swiggle.evaluation.truth import composed, true_traits
from swiggle.models.vae import VAE
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.stability import stability
from swiggle.sae.sweep_page import write_page
from swiggle.storage import join, local_copy, publish

PICTURES = 500
"""Test pictures whose traits are read back from reconstructions."""
PAIRS = 40
SEED = 2026


class Traits:
    """What scoring needs beside a dictionary: latents and true traits of train and test, pictures, and the VAE."""

    def __init__(self, run: RunConfig, vae: VAE, latents: Path, data: Path) -> None:
        """Raises `TraitsMissing` where the pictures are of no composed set."""
        self.composition = composed(run.data.source)
        (train_ids, self.train), (test_ids, self.test) = (read_latents(latents, split) for split in ("train", "test"))
        self.train_traits = true_traits(data / "train", self.composition, train_ids)
        self.test_traits = true_traits(data / "test", self.composition, test_ids)
        self.native = NativePictures(vae, self.composition.size)
        # The same pictures as the first latents, and in their order.
        pictures = read_pictures(data / "test", run.vae.image_size, ids=test_ids[:PICTURES])
        self.images = resized(pictures.images[np.argsort(pictures.ids)], self.composition.size)
        self.pairs: dict[str, Pairs] = {
            slot: draw_pairs(self.composition, slot, self.images, self.test_traits[: len(self.images)], PAIRS, SEED)
            for slot in self.composition.slots
        }
        self.additive = fit_additive(self.train, self.train_traits, self.composition)
        self.read_of_decoded = self.composition.read(self.native.decode(self.test[: len(self.images)]))

    def scores(self, code: Code) -> dict[str, Any]:
        return code_scores(code, self.train_traits, self.test_traits, self.composition)

    def recovered(self, sae: SparseAutoencoder) -> dict[str, float]:
        """Trait accuracy recovered by slot: (a(D(z^)) - a(D(z0))) / (a(D(z)) - a(D(z0))), a the share of slots read
        right and z0 the mean latent."""
        truth = self.test_traits[: len(self.images)]
        with torch.inference_mode():
            z = sae(torch.from_numpy(self.test[: len(self.images)]).to(sae.device))[0].cpu().numpy()
        right = (self.composition.read(self.native.decode(z)) == truth).mean(axis=0)
        constant = (self.composition.read(self.native.decode(self.train.mean(axis=0)[None])) == truth).mean(axis=0)
        ceiling = (self.read_of_decoded == truth).mean(axis=0)
        return dict(zip(self.composition.slots, ((right - constant) / (ceiling - constant)).tolist(), strict=True))

    def edits(self, sae: SparseAutoencoder, code: Code) -> dict[str, dict[str, float]]:
        """Success, preservation and exact by slot of edits with the right groups of features."""
        rows = sae.rows()
        result = {}
        for column, slot in enumerate(self.composition.slots):
            pairs = self.pairs[slot]
            means = value_means(code.train, self.train_traits, slot, self.composition)
            move = group_moves(means, rows, pairs.traits[:, column], pairs.asked)
            edited = self.native.decode(self.native.encode(pairs.images) + move)
            result[slot] = score_edited(pairs, edited, self.native.reconstruct)
        return result


def scored(known: Traits, sae: SparseAutoencoder) -> dict[str, Any]:
    """What one dictionary is worth: a task, so that dictionaries are scored side by side."""
    quiet()
    torch.set_num_threads(1)
    device = granted_device()
    known.train, known.test = known.train.copy(), known.test.copy()  # torch warns of what Ray hands over read-only
    known.native, sae = NativePictures(known.native.vae.to(device), known.native.size), sae.to(device)
    code = code_of(sae, known.train, known.test)
    return {**known.scores(code), "recovered": known.recovered(sae), "edits": known.edits(sae, code)}


def work(config: RunConfig, key: str) -> dict[str, Any]:
    config = connect(config, STAGE.name)
    with (
        local_copy(join(config.run, "sweep_report")) as swept,
        local_copy(join(config.run, "vae")) as vae,
        local_copy(join(config.run, "latents")) as latents,
        local_copy(join(config.run, "data")) as data,
        publish(join(config.run, "sae_report")) as folder,
    ):
        report = json.loads((swept / "trials.json").read_text())
        trials = report["trials"]
        saes = [SparseAutoencoder.from_pretrained(swept / "dictionaries" / trial["name"]) for trial in trials]
        report["stability"] = between_seeds(trials, saes)
        try:
            known = Traits(config, VAE.from_pretrained(vae, driver_device(config)), latents, data)
            known.native.vae.cpu()  # from here on each task has its own
        except TraitsMissing as unknown:
            say(STAGE.name, f"no scores of traits: {unknown}")
        else:
            task, shared = ray.remote(num_cpus=1, num_gpus=config.sweep.gpus_per_trial)(scored), ray.put(known)
            found = [task.remote(shared, sae) for sae in saes]
            for trial, answer in zip(trials, found, strict=True):
                trial["traits"] = ray.get(answer)
                say(
                    STAGE.name,
                    f"{trial['name']}: mean coverage {trial['traits']['mean_coverage']:.3f}, "
                    f"of frequent values {trial['traits']['mean_frequent_coverage']:.3f}",
                )
            chosen = trials[report["chosen"]]
            codes = baseline_codes(known.train, known.test, known.additive, chosen["features"], chosen["l0"])
            codes["directions"] = single_directions(known.train, known.train_traits, known.test, known.composition)
            report["baselines"] = {name: known.scores(Code(*pair)) for name, pair in codes.items()}
        (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
        write_page(report, folder / "index.html")
    return {
        "dictionaries": len(trials),
        **({"mean_coverage": trials[report["chosen"]]["traits"]["mean_coverage"]} if "baselines" in report else {}),
    }


def between_seeds(trials: list[dict[str, Any]], saes: list[SparseAutoencoder]) -> dict[str, float]:
    """Mean stability of each group of trials that differ in nothing but their seed, by the name of the first."""
    groups: dict[str, list[int]] = {}
    for index, trial in enumerate(trials):
        groups.setdefault(trial["name"].rsplit("-seed", 1)[0], []).append(index)
    return {
        name: float(np.mean([stability(saes[one], saes[other]) for one, other in itertools.combinations(group, 2)]))
        for name, group in groups.items()
        if len(group) > 1
    }


STAGE = Stage(
    "report_sae", (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE, sweep_sae.STAGE), lambda c: {}, work
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
