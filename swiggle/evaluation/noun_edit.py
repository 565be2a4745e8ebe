"""NounEdit: edits by prompt, scored against exact ground truth.

For a held-out picture and a trait it does not have, the true edited picture can be rendered. Scores, each a share of
the pairs: `success` the slot reads as asked, or the picture reads as one that looks like the true edit; `preservation`
all other slots read as they do in the unedited reconstruction D(E(x)); `exact` the picture reads as one that looks
like the true edit. Readings are compared as rendered, for two traits can draw the same picture. `leakage` is the mean
absolute difference, of 255, from D(E(x)) where the true edit changes no pixel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from swiggle.nouns.sprites import SLOTS
from swiggle.nouns.trait_reader import TraitReader

Prompts = dict[str, tuple[str, ...]]
"""Sentences for each slot, with `{name}` in place of a trait's name."""
PROMPTS: Prompts = {
    "background": ("change the background to {name}",),
    "body": ("give it a {name} body",),
    "accessory": ("put {name} on the shirt",),
    "head": ("make it a {name}",),
    "glasses": ("give it {name} glasses",),
}
"""What edits are developed with."""
HELD_OUT_PROMPTS: Prompts = {
    "background": (
        "could the backdrop be {name}?", "paint the wallpaper {name}", "I'd rather have a {name} background behind him",
        "background: {name}, thanks",
    ),
    "body": (
        "dress him in a {name} shirt", "his torso should turn {name}", "how about a {name} body for her",
        "let the shirt become {name}",
    ),
    "accessory": (
        "print {name} on the chest", "I want to see {name} on the shirt", "swap the accessory for {name}",
        "its print must be {name}",
    ),
    "head": (
        "show him with the head of a {name}", "can he have a {name} for a head", "trade the face for a {name}",
        "turn this one into a {name}",
    ),
    "glasses": (
        "let her wear {name} goggles", "change his spectacles to {name}", "put {name} eyeglasses on this noun",
        "{name} noggles would be great",
    ),
}  # fmt: skip
"""What they are scored with on the test split: looked at by nobody who changed how prompts are read."""
Edit = Callable[[np.ndarray, Sequence[str]], np.ndarray]
"""(pictures uint8 [n, 32, 32, 3], a prompt for each) -> edited pictures, same shape."""
Reconstruct = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Pairs:
    """Requests: `images` uint8 [n, 32, 32, 3] with `traits` int [n, 5], and the value asked for of one slot [n]."""

    slot: str
    images: np.ndarray
    traits: np.ndarray
    asked: np.ndarray

    def true(self) -> np.ndarray:
        """The traits once edited, int [n, 5]."""
        traits = self.traits.copy()
        traits[:, SLOTS.index(self.slot)] = self.asked
        return traits

    def prompts(self, names: Sequence[str], templates: Prompts = PROMPTS) -> list[str]:
        """A request for each pair, the slot's templates in turn; `names` of its values."""
        listed = templates[self.slot]
        return [listed[row % len(listed)].format(name=names[value]) for row, value in enumerate(self.asked)]


def draw_pairs(reader: TraitReader, slot: str, images: np.ndarray, traits: np.ndarray, count: int, seed: int) -> Pairs:
    """`count` random pictures, each with a random value of the slot that it does not have."""
    rng = np.random.default_rng([seed, SLOTS.index(slot)])
    chosen = rng.choice(len(images), size=count, replace=len(images) < count)
    values = reader.sprites.count(slot)
    asked = (traits[chosen, SLOTS.index(slot)] + rng.integers(1, values, size=count)) % values
    return Pairs(slot, images[chosen], traits[chosen], asked)


def score(
    reader: TraitReader, pairs: Pairs, edit: Edit, reconstruct: Reconstruct, templates: Prompts = PROMPTS
) -> dict[str, float]:
    """The scores of an edit function, beside the ceiling D(E(true edit))."""
    prompts = pairs.prompts(reader.sprites.names[pairs.slot], templates)
    return score_edited(reader, pairs, edit(pairs.images, prompts), reconstruct)


def score_edited(reader: TraitReader, pairs: Pairs, edited: np.ndarray, reconstruct: Reconstruct) -> dict[str, float]:
    """The same of pictures uint8 [n, 32, 32, 3] that are already edited."""
    unedited = reconstruct(pairs.images)
    found = shares(outcomes(reader, pairs, edited, unedited))
    best = shares(outcomes(reader, pairs, reconstruct(reader.sprites.render(pairs.true())), unedited))
    return found | {f"ceiling_{name}": value for name, value in best.items()}


def shares(found: dict[str, np.ndarray]) -> dict[str, float]:
    """Outcomes, each as its mean over the pairs."""
    return {name: float(values.mean()) for name, values in found.items()}


def outcomes(reader: TraitReader, pairs: Pairs, edited: np.ndarray, unedited: np.ndarray) -> dict[str, np.ndarray]:
    """The scores of each pair, bool [n], `leakage` float [n], of edited and unedited pictures uint8 [n, 32, 32, 3]."""
    sprites, column = reader.sprites, SLOTS.index(pairs.slot)
    true = sprites.render(pairs.true())
    before, read = reader.read(unedited), reader.read(edited)
    exact = (sprites.render(read) == true).all(axis=(1, 2, 3))
    kept_as = before.copy()
    kept_as[:, column] = read[:, column]
    kept = (sprites.render(kept_as) == sprites.render(read)).all(axis=(1, 2, 3))
    success = (read[:, column] == pairs.asked) | exact
    outside = (true == sprites.render(pairs.traits)).all(axis=3)
    moved = np.abs(edited.astype(np.float32) - unedited).mean(axis=3)
    leakage = (moved * outside).sum(axis=(1, 2)) / np.maximum(outside.sum(axis=(1, 2)), 1)
    return {"success": success, "preservation": kept, "exact": exact, "leakage": leakage}
