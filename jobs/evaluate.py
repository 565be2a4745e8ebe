"""Score a bundle's edits against ground truth (NounEdit) on held-out Nouns.

    python -m jobs.evaluate run=runs/demo

Reads the bundle and `<run>/data`; writes `<run>/evaluation.json`. Traits are read here and nowhere before.
"""

import numpy as np

from jobs.stage import run_command, say
from swiggle.bundle import Bundle
from swiggle.config import RunConfig
from swiggle.data.pixels import resize
from swiggle.data.reading import read_pictures
from swiggle.data.sprites import SIZE, SLOTS, load_sprites
from swiggle.evaluation.noun_edit import draw_pairs, score
from swiggle.evaluation.reader import TraitReader
from swiggle.evaluation.requests import left_alone, removal, two_slots
from swiggle.evaluation.truth import true_traits
from swiggle.storage import join, local_path, write_json

PAIRS = 200
REQUESTS = 100
"""Pictures for each of the other kinds of request."""
SEED = 2026


def evaluate(config: RunConfig) -> None:
    bundle = Bundle.load(config.run)
    data = local_path(join(config.run, "data"))
    sprites = load_sprites()
    traits = true_traits(data / "test", sprites)
    images = read_pictures(data / "test", SIZE).images
    reader = TraitReader(sprites)

    def native(pictures: np.ndarray) -> np.ndarray:
        return np.stack([resize(picture, SIZE) for picture in pictures])

    def to_bundle(pictures: np.ndarray) -> np.ndarray:
        return np.stack([resize(picture, bundle.image_size) for picture in pictures])

    def reconstruct(pictures: np.ndarray) -> np.ndarray:
        return native(bundle.decode(bundle.encode(to_bundle(pictures))))

    def edit(picture: np.ndarray, prompt: str) -> np.ndarray:
        shown = to_bundle(picture[None])
        return native(bundle.edit(shown, bundle.plan(prompt, shown[0])))[0]

    results = {}
    for slot in SLOTS:
        pairs = draw_pairs(reader, slot, images, traits, PAIRS, SEED)
        results[slot] = score(reader, pairs, edit, reconstruct)
        say("evaluate", f"{slot}: " + ", ".join(f"{name} {value:.2f}" for name, value in results[slot].items()))
    chosen = np.random.default_rng(SEED).choice(len(images), REQUESTS, replace=False)
    shown = (images[chosen], traits[chosen], edit, reconstruct)
    others = {
        "two_slots": two_slots(reader, *shown, SEED),
        **{f"remove_{slot}": removal(reader, slot, *shown) for slot in ("accessory", "head", "glasses")},
        "left_alone": left_alone(reader, *shown),
    }
    for kind, scores in others.items():
        say("evaluate", f"{kind}: " + ", ".join(f"{name} {value:.2f}" for name, value in scores.items()))
    macro = {name: float(np.mean([results[slot][name] for slot in SLOTS])) for name in next(iter(results.values()))}
    say("evaluate", "mean over slots: " + ", ".join(f"{name} {value:.3f}" for name, value in macro.items()))
    restored = (sprites.render(reader.read(reconstruct(images[:2000]))) == images[:2000]).all(axis=(1, 2, 3)).mean()
    say("evaluate", f"held-out pictures read back as rendered: {restored:.3f}")
    write_json(
        join(config.run, "evaluation.json"),
        {"noun_edit": results, "mean": macro, "requests": others, "rendered_equal": float(restored)},
    )


if __name__ == "__main__":
    run_command(__doc__, evaluate)
