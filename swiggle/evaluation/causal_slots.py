"""Which slot of a character a feature changes: read from pictures with and without it, never from its label.

The feature is taken out of its top pictures, both are decoded, and the trait reader reads them. The slot whose reading
changes in most of the pictures is the feature's slot. Where readings change in no picture, or in as many for two
slots, it is the slot on whose visible pixels most of the change lies. Evaluation only.
"""

from dataclasses import dataclass

import numpy as np

from swiggle.nouns.sprites import LAYERS, SLOTS, Sprites
from swiggle.nouns.trait_reader import TraitReader


@dataclass(frozen=True)
class Readings:
    """Of n pictures, whose feature is `feature` [n]: traits read with it, `before`, and without it, `after`, int
    [n, 5]; `moved` float32 [n, 5], the share of the squared pixel change on what is seen of each slot before."""

    feature: np.ndarray
    before: np.ndarray
    after: np.ndarray
    moved: np.ndarray


def read_ablations(reader: TraitReader, feature: np.ndarray, before: np.ndarray, after: np.ndarray) -> Readings:
    """Of pictures uint8 [n, 32, 32, 3] with and without their feature int [n]."""
    read = reader.read(before)
    change = np.square(before.astype(np.float32) - after).sum(axis=3)
    top = topmost(reader.sprites, read)
    moved = np.stack([(change * (top == column)).sum(axis=(1, 2)) for column in range(len(SLOTS))], axis=1)
    return Readings(feature, read, reader.read(after), moved / np.maximum(moved.sum(axis=1, keepdims=True), 1e-9))


def topmost(sprites: Sprites, traits: np.ndarray) -> np.ndarray:
    """For each pixel of characters with traits int [n, 5] the column of `SLOTS` seen there: int8 [n, 32, 32]."""
    top = np.zeros((len(traits), *sprites.pixels[LAYERS[0]].shape[1:]), np.int8)
    for layer in LAYERS:
        column = SLOTS.index(layer)
        top[sprites.pixels[layer][traits[:, column]] > 0] = column
    return top


def causal_slots(readings: Readings, features: int) -> np.ndarray:
    """The column of `SLOTS` that each feature changes, int [features]; -1 for those without pictures."""
    changed, moved = np.zeros((features, len(SLOTS))), np.zeros((features, len(SLOTS)))
    pictures = np.zeros(features)
    np.add.at(changed, readings.feature, readings.before != readings.after)
    np.add.at(moved, readings.feature, readings.moved)
    np.add.at(pictures, readings.feature, 1)
    ties = moved / np.maximum(pictures, 1)[:, None]  # a share, which decides only between equal counts
    return np.where(pictures > 0, (changed + 0.999 * ties).argmax(axis=1), -1)


def removed_and_kept(readings: Readings, feature: int, slot: str, others: tuple[str, ...]) -> tuple[float, float]:
    """Over the pictures of a feature: the share in which a slot no longer reads as it did, and the share in which all
    of some others still do."""
    mine = readings.feature == feature
    same = readings.before[mine] == readings.after[mine]
    kept = same[:, [SLOTS.index(other) for other in others]].all(axis=1)
    return float((~same[:, SLOTS.index(slot)]).mean()), float(kept.mean())
