"""Where features act, by their footprints, and so which of them compete for a part of the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.editing.plan import MASK_SIZE, Mask

OVERLAP = 0.55
"""Cosine of two footprints from which features without a named place act on the same part of the picture. Less lets
neighbours move, more leaves out what belongs: of 300 edits one and three fail that were met."""
COVERED = 0.3
"""Share of a footprint's strongest cell from which a cell belongs to a mask. Less takes more out and touches more of
the rest."""


@dataclass(frozen=True)
class Footprints:
    """Which features of one atlas act where."""

    atlas: Atlas

    def competing(self, seeds: Sequence[int]) -> np.ndarray:
        """Which features act where the seeds act: of the same place, or, where a label names none, on the same part
        of the picture. bool [features]."""
        where = self._places[seeds[0]]
        part = self._footprints[list(seeds)].mean(axis=0)
        overlapping = self._footprints @ part >= OVERLAP * self._norms * np.linalg.norm(part)
        return np.where((self._places != "") & (where != ""), self._places == where, overlapping)

    def acting(self, place: str | None, beside: str | None) -> np.ndarray:
        """The features that act where a place is: its own, those of the place beside it, and those without a label
        that act on the same part of the picture; all, where captions name no place. bool [features], worked out once.
        """
        if (place, beside) not in self._acting:
            self._acting[place, beside] = self._acts(place, beside)
        return self._acting[place, beside]

    def _acts(self, place: str | None, beside: str | None) -> np.ndarray:
        if place not in self._parts:
            return np.ones(len(self.atlas), bool)
        near = self._footprints @ self._parts[place] >= OVERLAP * self._norms
        return np.where(self._places != "", np.isin(self._places, [place, beside or place]), near)

    def beside(self, place: str | None) -> str | None:
        """The place that shares its part of the picture with a place, each more with the other than with any third;
        None if there is none."""
        nearest = self._nearest(place)
        return nearest if nearest and self._nearest(nearest) == place else None

    def on_each_other(self) -> list[tuple[str, str]]:
        """The pairs of places of which each lies beside the other."""
        pairs = [(place, self.beside(place)) for place in sorted(self._parts)]
        return [(place, other) for place, other in pairs if other and place < other]

    def mask(self, features: Sequence[int]) -> Mask | None:
        """The cells in which any of some features act; None for no features, and where that is all of the picture."""
        if not features:
            return None
        footprints = self._footprints[list(features)]
        largest = np.maximum(footprints.max(axis=1, keepdims=True), 1e-12)
        side = round(footprints.shape[1] ** 0.5) // MASK_SIZE
        cells = (footprints / largest).max(axis=0).reshape(MASK_SIZE, side, MASK_SIZE, side).max(axis=(1, 3))
        covered = cells >= COVERED
        return None if covered.all() else covered.astype(float).tolist()

    def _nearest(self, place: str | None) -> str | None:
        """The place that shares most of its part of the picture with a place; None if none shares any."""
        if place not in self._parts:
            return None
        overlap = {other: float(part @ self._parts[place]) for other, part in self._parts.items() if other != place}
        nearest = max(overlap, key=lambda other: overlap[other], default=None)
        return nearest if nearest is not None and overlap[nearest] > 0 else None

    @cached_property
    def _parts(self) -> dict[str, np.ndarray]:
        """Where the labelled features of each place act, of unit length: [32 * 32]."""
        weights = self.atlas.confidence * self.atlas.density
        parts = {
            str(place): np.where(self._places == place, weights, 0.0) @ self._footprints for place in set(self._places)
        }
        return {place: part / max(float(np.linalg.norm(part)), 1e-12) for place, part in parts.items() if place}

    @cached_property
    def _acting(self) -> dict[tuple[str | None, str | None], np.ndarray]:
        return {}

    @cached_property
    def _norms(self) -> np.ndarray:
        return np.maximum(np.linalg.norm(self._footprints, axis=1), 1e-12)

    @cached_property
    def _places(self) -> np.ndarray:
        return np.array([place or "" for place in self.atlas.places])

    @cached_property
    def _footprints(self) -> np.ndarray:
        return self.atlas.footprint.reshape(len(self.atlas), -1).astype(np.float32)
