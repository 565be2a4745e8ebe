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

from swiggle.composition import Composition, Sentences

Edit = Callable[[np.ndarray, Sequence[str]], np.ndarray]
"""(pictures uint8 [n, S, S, 3], a prompt for each) -> edited pictures, same shape."""
Reconstruct = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Pairs:
    """Requests about a `slot` of a composed set: `images` uint8 [n, S, S, 3] with `traits` int [n, slots], and the
    value asked for [n]."""

    composition: Composition
    slot: str
    images: np.ndarray
    traits: np.ndarray
    asked: np.ndarray

    def true(self) -> np.ndarray:
        """The traits once edited, int [n, slots]."""
        traits = self.traits.copy()
        traits[:, self.composition.slots.index(self.slot)] = self.asked
        return traits

    def prompts(self, sentences: Sentences) -> list[str]:
        """A request for each pair, the slot's sentences in turn."""
        names, listed = self.composition.names(self.slot), sentences[self.slot]
        return [listed[row % len(listed)].format(name=names[value]) for row, value in enumerate(self.asked)]


def draw_pairs(
    composition: Composition, slot: str, images: np.ndarray, traits: np.ndarray, count: int, seed: int
) -> Pairs:
    """`count` random pictures, each with a random value of the slot that it does not have."""
    rng = np.random.default_rng([seed, composition.slots.index(slot)])
    chosen = rng.choice(len(images), size=count, replace=len(images) < count)
    values = len(composition.names(slot))
    asked = (traits[chosen, composition.slots.index(slot)] + rng.integers(1, values, size=count)) % values
    return Pairs(composition, slot, images[chosen], traits[chosen], asked)


def score(pairs: Pairs, edit: Edit, reconstruct: Reconstruct, sentences: Sentences) -> dict[str, float]:
    """The scores of an edit function, beside the ceiling D(E(true edit))."""
    return score_edited(pairs, edit(pairs.images, pairs.prompts(sentences)), reconstruct)


def score_edited(pairs: Pairs, edited: np.ndarray, reconstruct: Reconstruct) -> dict[str, float]:
    """The same of pictures uint8 [n, S, S, 3] that are already edited."""
    unedited = reconstruct(pairs.images)
    found = shares(outcomes(pairs, edited, unedited))
    best = shares(outcomes(pairs, reconstruct(pairs.composition.render(pairs.true())), unedited))
    return found | {f"ceiling_{name}": value for name, value in best.items()}


def shares(found: dict[str, np.ndarray]) -> dict[str, float]:
    """Outcomes, each as its mean over the pairs."""
    return {name: float(values.mean()) for name, values in found.items()}


def outcomes(pairs: Pairs, edited: np.ndarray, unedited: np.ndarray) -> dict[str, np.ndarray]:
    """The scores of each pair, bool [n], `leakage` float [n], of edited and unedited pictures uint8 [n, S, S, 3]."""
    composition, column = pairs.composition, pairs.composition.slots.index(pairs.slot)
    true = composition.render(pairs.true())
    before, read = composition.read(unedited), composition.read(edited)
    exact = (composition.render(read) == true).all(axis=(1, 2, 3))
    kept_as = before.copy()
    kept_as[:, column] = read[:, column]
    kept = composition.same_look(kept_as, read)
    success = (read[:, column] == pairs.asked) | exact
    outside = (true == composition.render(pairs.traits)).all(axis=3)
    moved = np.abs(edited.astype(np.float32) - unedited).mean(axis=3)
    leakage = (moved * outside).sum(axis=(1, 2)) / np.maximum(outside.sum(axis=(1, 2)), 1)
    return {"success": success, "preservation": kept, "exact": exact, "leakage": leakage}
