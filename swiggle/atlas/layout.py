"""The map of features: UMAP (McInnes et al., arXiv 1802.03426), stored so that a later feature can be placed on it.

What is mapped of a feature is what it acts on: above all, how what it changes divides among the places of the picture
(`attribution.py`), then its footprint, and to a lesser part its direction in latent space. Features that change the
same thing lie together, and among them those that change it alike. Directions alone put features of different parts
side by side, footprints alone those of shirts and prints, which lie on each other.

What is stored are the rows that were mapped and their positions, no pickle. A new row is placed as UMAP's own
transform begins: at the mean of its nearest mapped rows, each weighted by its membership in the row's fuzzy
neighbourhood. The descent that UMAP adds then is left out, so a place depends on the row and the map alone.

atlas/map.safetensors  `rows` float32 [n, dim], `positions` float32 [n, 2], `neighbors` int64 [1]
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import umap
from safetensors.numpy import load_file, save_file
from umap.umap_ import smooth_knn_dist

from swiggle.blocks import blocks
from swiggle.config import AtlasConfig

FILE = "map.safetensors"
DIRECTION = 0.25
"""Weight of a feature's direction beside that of its footprint."""
ACTING = 2.0
"""Weight of how its change divides among places, likewise."""
FEWEST = 8
"""Rows below which there is nothing to lay out: the positions are all the middle."""
_CELLS = 2**22
"""Distances that are looked at together."""


@dataclass(frozen=True)
class FeatureMap:
    """`rows` float32 [n, dim] that were mapped, `positions` float32 [n, 2] from 0 to 1, and how many `neighbors` a
    row's neighbourhood has."""

    rows: np.ndarray
    positions: np.ndarray
    neighbors: int

    def place(self, rows: np.ndarray) -> np.ndarray:
        """Positions float32 [m, 2] of other rows [m, dim]."""
        parts = [self._place(rows[some]) for some in blocks(len(rows), len(self.rows), _CELLS)]
        return np.concatenate([np.zeros((0, 2), np.float32), *parts])

    def _place(self, rows: np.ndarray) -> np.ndarray:
        distance = 1.0 - _unit(rows) @ _unit(self.rows).T
        near = np.argsort(distance, axis=1, kind="stable")[:, : self.neighbors]
        near_distance = np.take_along_axis(distance, near, axis=1).clip(min=0.0).astype(np.float32)
        sigmas, rhos = smooth_knn_dist(near_distance, float(self.neighbors), local_connectivity=1.0)
        weights = np.exp(-np.maximum(near_distance - rhos[:, None], 0.0) / np.maximum(sigmas[:, None], 1e-12))
        weights /= weights.sum(axis=1, keepdims=True)
        return np.einsum("mk,mkd->md", weights, self.positions[near]).astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """What is stored of it."""
        return {"rows": self.rows, "positions": self.positions, "neighbors": np.array([self.neighbors])}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> "FeatureMap":
        """What `arrays` gave."""
        return cls(arrays["rows"], arrays["positions"], int(arrays["neighbors"][0]))

    def save(self, folder: Path) -> None:
        save_file(self.arrays(), folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> "FeatureMap":
        """Read what `save` wrote."""
        return cls.of(load_file(folder / FILE))


def feature_rows(directions: np.ndarray, footprints: np.ndarray, acting: np.ndarray) -> np.ndarray:
    """What is mapped of features with decoder rows [n, latent_dim], footprints [n, 32, 32] and shares of the change
    by place [n, places]: float32 [n, dim].

    Square roots make the cosine of two footprints their overlap (Bhattacharyya 1943).
    """
    where = _unit(np.sqrt(footprints.reshape(len(footprints), -1)))
    return np.hstack([where, DIRECTION * _unit(directions), ACTING * _unit(acting)]).astype(np.float32)


def feature_map(rows: np.ndarray, config: AtlasConfig) -> FeatureMap:
    """Map rows [n, dim] by cosine distance, each axis scaled to 0 ... 1. The same rows and seed give the same map."""
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    neighbors = max(1, min(config.umap_neighbors, len(rows) - 1))
    if len(rows) < FEWEST:
        return FeatureMap(rows, np.full((len(rows), 2), 0.5, np.float32), neighbors)
    reducer = umap.UMAP(
        n_neighbors=neighbors, min_dist=config.umap_min_dist, metric="cosine", random_state=config.seed, n_jobs=1
    )
    positions = reducer.fit_transform(rows)
    low, high = positions.min(axis=0), positions.max(axis=0)
    return FeatureMap(rows, ((positions - low) / np.maximum(high - low, 1e-12)).astype(np.float32), neighbors)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
