"""NounEdit beyond replacing one trait: two at once, removal, and requests that should change nothing.

Each function takes held-out pictures uint8 [n, S, S, 3] with their true traits int [n, slots], and an edit function,
and returns shares of the pictures. Readings are compared as in `trait_edits`: as rendered.
"""

from collections.abc import Sequence

import numpy as np

from swiggle.composition import Composition, Sentences
from swiggle.evaluation.trait_edits import Edit, Pairs, Reconstruct

NOT_SEEN = 1.0
"""Mean absolute difference, of 255, up to which a picture counts as unchanged."""
SLIGHT = 8.0
"""Mean absolute difference, of 255, that a removal may make outside of what is removed."""


def two_slots(
    composition: Composition,
    images: np.ndarray,
    traits: np.ndarray,
    edit: Edit,
    reconstruct: Reconstruct,
    seed: int,
    sentences: Sentences,
) -> dict[str, float]:
    """Requests for two slots in one prompt: `both`, both read as asked; `rest`, the others as in D(E(x)); `success`,
    both of these."""
    rng = np.random.default_rng([seed, 2])
    before = composition.read(reconstruct(images))
    wanted, prompts = before.copy(), []
    asked = np.zeros((len(images), len(composition.slots)), bool)
    for row in range(len(images)):
        pair = sorted(rng.choice(len(composition.slots), size=2, replace=False))
        phrases = []
        for column in pair:
            slot = composition.slots[column]
            names, listed = composition.names(slot), sentences[slot]
            value = (traits[row, column] + rng.integers(1, len(names))) % len(names)
            wanted[row, column], asked[row, column] = value, True
            phrases.append(listed[row % len(listed)].format(name=names[value]).rstrip("?"))
        prompts.append(", and ".join(phrases))
    read = composition.read(edit(images, prompts))
    both = composition.same_look(np.where(asked, read, before), np.where(asked, wanted, before))
    rest = composition.same_look(np.where(asked, wanted, read), np.where(asked, wanted, before))
    return {"both": float(both.mean()), "rest": float(rest.mean()), "success": float((both & rest).mean())}


def removal(
    composition: Composition, slot: str, images: np.ndarray, traits: np.ndarray, edit: Edit, reconstruct: Reconstruct
) -> dict[str, float]:
    """Requests to remove what a slot shows, of the pictures where it shows something: `gone`, the slot no longer reads
    it; `rest`, the others read as in D(E(x)), rendered below the old or the new value of the slot, since a shirt that a
    print hides has no reading of its own; `rest_strict`, rendered below the new one only; `outside`, pixels that the
    trait does not cover hardly change. NaN where no picture shows anything."""
    column = composition.slots.index(slot)
    shown = np.array([value != composition.nothing(slot) for value in traits[:, column]], bool)
    if not shown.any():
        return dict.fromkeys(("gone", "rest", "rest_strict", "outside"), float("nan"))
    images, traits = images[shown], traits[shown]
    names = [composition.names(slot)[value] for value in traits[:, column]]
    edited = edit(images, [f"remove the {name} {slot}" for name in names])
    unedited = reconstruct(images)
    read, before = composition.read(edited), composition.read(unedited)
    others, as_it_was = before.copy(), read.copy()
    others[:, column], as_it_was[:, column] = read[:, column], before[:, column]
    strict = composition.same_look(read, others)
    covered = composition.covers(slot, traits)
    moved = np.abs(edited.astype(np.float32) - unedited).mean(axis=3)
    outside = (moved * ~covered).sum(axis=(1, 2)) / np.maximum((~covered).sum(axis=(1, 2)), 1)
    return {
        "gone": float((read[:, column] != traits[:, column]).mean()),
        "rest": float((strict | composition.same_look(as_it_was, before)).mean()),
        "rest_strict": float(strict.mean()),
        "outside": float((outside <= SLIGHT).mean()),
    }


def left_alone(
    composition: Composition,
    images: np.ndarray,
    traits: np.ndarray,
    edit: Edit,
    reconstruct: Reconstruct,
    sentences: Sentences,
) -> dict[str, float]:
    """Requests that should change nothing: `unknown` words, and for each slot what the picture has `already`; each the
    share of pictures that are seen to be unchanged."""
    unedited = reconstruct(images)

    def unchanged(prompts: Sequence[str]) -> float:
        moved = np.abs(edit(images, prompts).astype(np.float32) - unedited).mean(axis=(1, 2, 3))
        return float((moved <= NOT_SEEN).mean())

    unknown = composition.requests.unknown
    shares = {"unknown": unchanged([unknown[row % len(unknown)] for row in range(len(images))])}
    for slot in composition.slots:
        there = Pairs(composition, slot, images, traits, traits[:, composition.slots.index(slot)])
        shares[f"already_{slot}"] = unchanged(there.prompts(sentences))
    return shares
