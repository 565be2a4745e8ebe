"""What the trained VAE is worth, in figures and numbers, on the test split.

    python -m jobs.report_vae run=runs/demo

Reads `<run>/data`, `<run>/vae`, `<run>/latents` and the curves in `<run>/train_vae`; writes `<run>/vae_report/`:
`report.json`, `reconstructions.png` and `curves.png`. Where traits are known it also says how many of each slot are
read back from D(E(x)), how additive the latent is and how well edits with supervised directions do: the bar for
dictionaries of this latent. Traits are read for this report only; nothing reads the report.
"""

import json
from pathlib import Path
from typing import Any

from jobs import encode_latents, prepare_data, train_vae
from jobs.runtime.cluster import driver_device
from jobs.runtime.stage import Stage, complete, current, key_of, run_command, say
from swiggle.composition import Composition
from swiggle.config import RunConfig
from swiggle.data.latents import read_latents
from swiggle.data.reading import Pictures, TraitsMissing, read_pictures
from swiggle.evaluation.additive import fit_additive
from swiggle.evaluation.locality import locality
from swiggle.evaluation.native_pictures import NativePictures, resized
from swiggle.evaluation.trait_edits import draw_pairs, score_edited
from swiggle.evaluation.truth import composed, true_traits
from swiggle.evaluation.vae_figures import draw_curves, draw_reconstructions
from swiggle.models.reconstruction import reconstruct
from swiggle.models.vae import VAE
from swiggle.storage import join, local_copy, publish
from swiggle.training.vae_events import read_curves

TEST_PICTURES = 5_000
"""Of the test split, how many are scored: a bound on memory."""
PAIRS = 100
READ_BACK = 1_000
"""Held-out pictures whose traits are read back."""
MOVED = 256
"""Latents whose cells are moved to see how local they are."""
SEED = 2026


def work(config: RunConfig, key: str) -> dict[str, Any]:
    trained = key_of(current(train_vae.STAGE, config, STAGE.name))
    with (
        local_copy(join(config.run, "vae")) as vae_folder,
        local_copy(join(config.run, "data")) as data,
        local_copy(join(config.run, "latents")) as latents,
        local_copy(join(config.run, "train_vae", trained, "events")) as events,
        publish(join(config.run, "vae_report")) as folder,
    ):
        vae = VAE.from_pretrained(vae_folder, driver_device(config))
        pictures = read_pictures(data / "test", vae.config.image_size, TEST_PICTURES)
        report: dict[str, Any] = {}
        draw_curves(read_curves(events), folder / "curves.png")
        if len(pictures):
            seen = reconstruct(vae, pictures.images, shown=12)
            report |= {
                **seen.scores,
                "kl_per_channel": seen.kl_per_channel.tolist(),
                "latent_standard_deviation": seen.latents.std(axis=(0, 2, 3)).tolist(),
                "locality": locality(vae, seen.latents[:MOVED]),
            }
            draw_reconstructions(seen.originals, seen.decoded, folder / "reconstructions.png")
        else:
            say(STAGE.name, "no test pictures: scores are left out")
        try:
            report |= trait_scores(composed(config.data.source), vae, pictures, data, latents)
        except TraitsMissing as unknown:
            say(STAGE.name, f"no scores of traits: {unknown}")
        (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    return report


def trait_scores(composition: Composition, vae: VAE, pictures: Pictures, data: Path, latents: Path) -> dict[str, Any]:
    """What needs true traits. Raises `TraitsMissing` where there are none."""
    test = true_traits(data / "test", composition, pictures.ids)
    stored = {split: read_latents(latents, split) for split in ("train", "test")}
    truth = {split: true_traits(data / split, composition, ids) for split, (ids, _) in stored.items()}

    native = NativePictures(vae, composition.size)
    images = resized(pictures.images, composition.size)
    read = composition.read(native.reconstruct(images[:READ_BACK]))
    same = (composition.render(read) == images[:READ_BACK]).all(axis=(1, 2, 3))
    additive = fit_additive(stored["train"][1], truth["train"], composition)
    edits = {}
    for slot in composition.slots:
        pairs = draw_pairs(composition, slot, images, test, PAIRS, SEED)
        edited = native.decode(additive.moved(slot, native.encode(pairs.images), pairs.traits, pairs.asked))
        edits[slot] = score_edited(pairs, edited, native.reconstruct)
    return {
        "rendered_equal": float(same.mean()),
        "read_back": {
            slot: float((read[:, column] == test[:READ_BACK, column]).mean())
            for column, slot in enumerate(composition.slots)
        },
        "additive_r2": additive.r2(stored["test"][1], truth["test"]),
        "supervised_edits": edits,
    }


STAGE = Stage("report_vae", (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE), lambda c: {}, work)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
