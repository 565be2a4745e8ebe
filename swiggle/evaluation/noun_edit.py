"""NounEdit: edits by prompt, scored against exact ground truth.

For a held-out picture and a trait it does not have, the true edited picture can be rendered. Scores, each a share of
the pairs: `success` the slot reads as asked, or the picture reads as one that looks like the true edit; `preservation`
all other slots read as they do in the unedited reconstruction D(E(x)); `exact` the picture reads as one that looks
like the true edit. Readings are compared as rendered, for two traits can draw the same picture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from swiggle.data.sprites import SLOTS
from swiggle.evaluation.reader import TraitReader

PROMPTS = {
    "background": "change the background to {name}",
    "body": "give it a {name} body",
    "accessory": "put {name} on the shirt",
    "head": "make it a {name}",
    "glasses": "give it {name} glasses",
}
Edit = Callable[[np.ndarray, str], np.ndarray]
"""(picture uint8 [32, 32, 3], prompt) -> edited picture, same shape."""


@dataclass(frozen=True)
class Pairs:
    """Requests: `images` uint8 [n, 32, 32, 3] with `traits` int [n, 5], and the value asked for of one slot [n]."""

    slot: str
    images: np.ndarray
    traits: np.ndarray
    asked: np.ndarray


def draw_pairs(reader: TraitReader, slot: str, images: np.ndarray, traits: np.ndarray, count: int, seed: int) -> Pairs:
    """`count` random pictures, each with a random value of the slot that it does not have."""
    rng = np.random.default_rng([seed, SLOTS.index(slot)])
    chosen = rng.choice(len(images), size=count, replace=len(images) < count)
    values = reader.sprites.count(slot)
    asked = (traits[chosen, SLOTS.index(slot)] + rng.integers(1, values, size=count)) % values
    return Pairs(slot, images[chosen], traits[chosen], asked)


def score(
    reader: TraitReader, pairs: Pairs, edit: Edit, reconstruct: Callable[[np.ndarray], np.ndarray]
) -> dict[str, float]:
    """Success, preservation and exact of an edit function, beside the ceiling D(E(true edit))."""
    names = reader.sprites.names[pairs.slot]
    prompts = [PROMPTS[pairs.slot].format(name=names[value]) for value in pairs.asked]
    edited = np.stack([edit(image, prompt) for image, prompt in zip(pairs.images, prompts, strict=True)])
    return score_edited(reader, pairs, edited, reconstruct)


def score_edited(
    reader: TraitReader, pairs: Pairs, edited: np.ndarray, reconstruct: Callable[[np.ndarray], np.ndarray]
) -> dict[str, float]:
    """The same of pictures uint8 [n, 32, 32, 3] that are already edited."""
    sprites, column = reader.sprites, SLOTS.index(pairs.slot)
    true = pairs.traits.copy()
    true[:, column] = pairs.asked
    true_images = sprites.render(true)
    before = reader.read(reconstruct(pairs.images))

    def scores(pictures: np.ndarray) -> dict[str, float]:
        read = reader.read(pictures)
        exact = (sprites.render(read) == true_images).all(axis=(1, 2, 3))
        kept_as = before.copy()
        kept_as[:, column] = read[:, column]
        kept = (sprites.render(kept_as) == sprites.render(read)).all(axis=(1, 2, 3))
        success = (read[:, column] == pairs.asked) | exact
        shares = {"success": success, "preservation": kept, "exact": exact}
        return {name: float(share.mean()) for name, share in shares.items()}

    ceiling = scores(reconstruct(true_images))
    return {**scores(edited), **{f"ceiling_{name}": value for name, value in ceiling.items()}}
