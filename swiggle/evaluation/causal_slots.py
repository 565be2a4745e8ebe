"""Which slot of a picture a feature changes: read from pictures with and without it, never from its label.

The feature is taken out of its top pictures, both are decoded, and their traits are read. The slot whose reading
changes in most of the pictures is the feature's slot. Where readings change in no picture, or in as many for two
slots, it is the slot on whose visible pixels most of the change lies. Evaluation only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from swiggle.composition import Composition


@dataclass(frozen=True)
class Readings:
    """Of n pictures, whose feature is `feature` [n]: traits read with it, `before`, and without it, `after`, int
    [n, slots]; `moved` float32 [n, slots], the share of the squared pixel change on what is seen of each slot
    before."""

    feature: np.ndarray
    before: np.ndarray
    after: np.ndarray
    moved: np.ndarray


def read_ablations(composition: Composition, feature: np.ndarray, before: np.ndarray, after: np.ndarray) -> Readings:
    """Of pictures uint8 [n, S, S, 3] with and without their feature int [n]."""
    read = composition.read(before)
    change = np.square(before.astype(np.float32) - after).sum(axis=3)
    top = topmost(composition, read)
    moved = np.stack([(change * (top == column)).sum(axis=(1, 2)) for column in range(len(composition.slots))], axis=1)
    return Readings(feature, read, composition.read(after), moved / np.maximum(moved.sum(axis=1, keepdims=True), 1e-9))


def topmost(composition: Composition, traits: np.ndarray) -> np.ndarray:
    """For each pixel of pictures with traits int [n, slots] the number of the slot seen there: int8 [n, S, S]."""
    top = np.zeros((len(traits), composition.size, composition.size), np.int8)
    for column, slot in enumerate(composition.slots):
        top[composition.covers(slot, traits)] = column
    return top


def causal_slots(readings: Readings, features: int) -> np.ndarray:
    """The number of the slot that each feature changes, int [features]; -1 for those without pictures."""
    changed, moved = (np.zeros((features, readings.before.shape[1])) for _ in range(2))
    pictures = np.zeros(features)
    np.add.at(changed, readings.feature, readings.before != readings.after)
    np.add.at(moved, readings.feature, readings.moved)
    np.add.at(pictures, readings.feature, 1)
    ties = moved / np.maximum(pictures, 1)[:, None]  # a share, which decides only between equal counts
    return np.where(pictures > 0, (changed + 0.999 * ties).argmax(axis=1), -1)


def removed_and_kept(readings: Readings, feature: int, slot: int, others: Sequence[int]) -> tuple[float, float]:
    """Over the pictures of a feature: the share in which a slot no longer reads as it did, and the share in which all
    of some others still do."""
    mine = readings.feature == feature
    same = readings.before[mine] == readings.after[mine]
    return float((~same[:, slot]).mean()), float(same[:, list(others)].all(axis=1).mean())
