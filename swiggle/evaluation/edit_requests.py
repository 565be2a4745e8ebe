"""NounEdit beyond replacing one trait: two at once, removal, and requests that should change nothing.

Each function takes held-out pictures uint8 [n, 32, 32, 3] with their true traits int [n, 5], and an edit function, and
returns shares of the pictures. Readings are compared as in `noun_edit`: as rendered.
"""

from collections.abc import Sequence

import numpy as np

from swiggle.evaluation.noun_edit import PROMPTS, Edit, Pairs, Prompts, Reconstruct
from swiggle.nouns.sprites import LAYERS, SLOTS
from swiggle.nouns.trait_reader import TraitReader

UNKNOWN = (
    "make it a zorblax", "give it a fnargle head", "put quuxlets on the shirt", "a vrindle background", "wear blorptic",
    "turn it into a skrimshander", "with plumbidous glasses", "grommish body please", "xyzzy", "more wibbleton",
)  # fmt: skip
NOT_SEEN = 1.0
"""Mean absolute difference, of 255, up to which a picture counts as unchanged."""
SLIGHT = 8.0
"""Mean absolute difference, of 255, that a removal may make outside of what is removed."""


def two_slots(
    reader: TraitReader,
    images: np.ndarray,
    traits: np.ndarray,
    edit: Edit,
    reconstruct: Reconstruct,
    seed: int,
    templates: Prompts = PROMPTS,
) -> dict[str, float]:
    """Requests for two slots in one prompt: `both`, both read as asked; `rest`, the others as in D(E(x)); `success`,
    both of these."""
    rng = np.random.default_rng([seed, 2])
    sprites, before = reader.sprites, reader.read(reconstruct(images))
    wanted, prompts = before.copy(), []
    asked = np.zeros((len(images), len(SLOTS)), bool)
    for row in range(len(images)):
        pair = sorted(rng.choice(len(SLOTS), size=2, replace=False))
        phrases = []
        for column in pair:
            count = sprites.count(SLOTS[column])
            value = (traits[row, column] + rng.integers(1, count)) % count
            wanted[row, column], asked[row, column] = value, True
            listed = templates[SLOTS[column]]
            phrases.append(listed[row % len(listed)].format(name=sprites.names[SLOTS[column]][value]).rstrip("?"))
        prompts.append(", and ".join(phrases))
    read = reader.read(edit(images, prompts))
    both = _same(reader, np.where(asked, read, before), np.where(asked, wanted, before))
    rest = _same(reader, np.where(asked, wanted, read), np.where(asked, wanted, before))
    return {"both": float(both.mean()), "rest": float(rest.mean()), "success": float((both & rest).mean())}


def removal(
    reader: TraitReader, slot: str, images: np.ndarray, traits: np.ndarray, edit: Edit, reconstruct: Reconstruct
) -> dict[str, float]:
    """Requests to remove what a slot shows: `gone`, the slot no longer reads it; `rest`, the others read as in D(E(x)),
    rendered below the old or the new value of the slot, since a shirt that a print hides has no reading of its own;
    `rest_strict`, rendered below the new one only; `outside`, pixels that the trait does not cover hardly change."""
    sprites, column = reader.sprites, SLOTS.index(slot)
    names = [sprites.names[slot][value] for value in traits[:, column]]
    edited = edit(images, [f"remove the {name} {slot}" for name in names])
    unedited = reconstruct(images)
    read, before = reader.read(edited), reader.read(unedited)
    others, as_it_was = before.copy(), read.copy()
    others[:, column], as_it_was[:, column] = read[:, column], before[:, column]
    strict = _same(reader, read, others)
    covered = sprites.pixels[slot][traits[:, column]] > 0
    moved = np.abs(edited.astype(np.float32) - unedited).mean(axis=3)
    outside = (moved * ~covered).sum(axis=(1, 2)) / np.maximum((~covered).sum(axis=(1, 2)), 1)
    return {
        "gone": float((read[:, column] != traits[:, column]).mean()),
        "rest": float((strict | _same(reader, as_it_was, before)).mean()),
        "rest_strict": float(strict.mean()),
        "outside": float((outside <= SLIGHT).mean()),
    }


def left_alone(
    reader: TraitReader,
    images: np.ndarray,
    traits: np.ndarray,
    edit: Edit,
    reconstruct: Reconstruct,
    templates: Prompts = PROMPTS,
) -> dict[str, float]:
    """Requests that should change nothing: `unknown` words, and for each slot of `LAYERS` and the background what the
    character has `already`; each the share of pictures that are seen to be unchanged."""
    unedited = reconstruct(images)

    def unchanged(prompts: Sequence[str]) -> float:
        moved = np.abs(edit(images, prompts).astype(np.float32) - unedited).mean(axis=(1, 2, 3))
        return float((moved <= NOT_SEEN).mean())

    shares = {"unknown": unchanged([UNKNOWN[row % len(UNKNOWN)] for row in range(len(images))])}
    for slot in ("background", *LAYERS):
        there = Pairs(slot, images, traits, traits[:, SLOTS.index(slot)])
        shares[f"already_{slot}"] = unchanged(there.prompts(reader.sprites.names[slot], templates))
    return shares


def _same(reader: TraitReader, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether traits [n, 5] look alike, bool [n]."""
    return (reader.sprites.render(one) == reader.sprites.render(other)).all(axis=(1, 2, 3))
