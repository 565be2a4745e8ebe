"""What activations say of each feature, as sums that can be merged in any order.

Any number of workers summarise a batch of pictures each, and the summaries are merged two by two. Memory grows with the
number of features, and with how many pairs of them ever fire together, never with features times features: what is
kept of pairs is sparse. There are two passes: `Summary` needs nothing, `CoActivation` needs the mean and the largest
activations that the first pass found.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from swiggle.atlas.activations import Activations
from swiggle.blocks import blocks

BINS = 20
"""Of the histogram of activation / largest activation, over 0 to 1."""
_SAMPLED = 2**20
"""Cells of samples that are put in order at once."""


@dataclass(frozen=True)
class FeatureStatistics:
    """`density` share of pictures in which a feature fires; `mean_activation` its mean where it does (0 if never);
    `max_activation`: each [features]. `example_ids` int64 and `example_activations` [features, k], strongest first;
    where a feature fires in fewer than k pictures the rest is -1 and 0. `quantile_example_ids` [features, q]: pictures
    from the strongest to the weakest of q equal parts of those in which it fires, -1 where there are fewer."""

    density: np.ndarray
    mean_activation: np.ndarray
    max_activation: np.ndarray
    example_ids: np.ndarray
    example_activations: np.ndarray
    quantile_example_ids: np.ndarray


@dataclass(frozen=True)
class Kept:
    """For each feature the at most `k` pictures of least key, one line each, in order of feature and key: `feature`
    int64, `keys` float64, `ids` int64, `values` float32, each [lines]; of `features` in all."""

    features: int
    k: int
    feature: np.ndarray
    keys: np.ndarray
    ids: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, ids: np.ndarray, activations: sparse.csr_matrix, keys: np.ndarray, k: int) -> "Kept":
        """`ids` [N] of the rows; `keys` one for each stored value of the activations."""
        row_ids = np.repeat(ids, np.diff(activations.indptr))
        feature = activations.indices.astype(np.int64)
        return cls(activations.shape[1], k, feature, keys, row_ids, activations.data)._first()

    def merge(self, other: "Kept") -> "Kept":
        lines = (np.concatenate([getattr(self, name), getattr(other, name)]) for name in _LINES)
        return Kept(self.features, self.k, *lines)._first()

    def table(self, some: slice) -> tuple[np.ndarray, np.ndarray]:
        """Of some features the `ids` and `values` as [features, k], -1 and 0 where there are fewer than k."""
        start, end, _ = some.indices(self.features)
        lines = slice(*np.searchsorted(self.feature, [start, end]))
        row, rank = self.feature[lines] - start, self._rank()[lines]
        ids, values = np.full((end - start, self.k), -1, np.int64), np.zeros((end - start, self.k), np.float32)
        ids[row, rank], values[row, rank] = self.ids[lines], self.values[lines]
        return ids, values

    def _first(self) -> "Kept":
        """In order, the first k lines of each feature."""
        order = np.lexsort((self.ids, self.keys, self.feature))
        ordered = Kept(self.features, self.k, *(getattr(self, name)[order] for name in _LINES))
        kept = ordered._rank() < self.k
        return Kept(self.features, self.k, *(getattr(ordered, name)[kept] for name in _LINES))

    def _rank(self) -> np.ndarray:
        """The place of each line among those of its feature, from 0."""
        counts = np.bincount(self.feature, minlength=self.features)
        return np.arange(len(self.feature)) - np.repeat(np.cumsum(counts) - counts, counts)


_LINES = ("feature", "keys", "ids", "values")


@dataclass(frozen=True)
class Summary:
    """The first pass over some pictures: how many there are, how often each feature fired, the sum and the largest of
    its activations [features], its `top` pictures, and a uniform `sample` of those in which it fires."""

    pictures: int
    fired: np.ndarray
    total: np.ndarray
    highest: np.ndarray
    top: Kept
    sample: Kept

    @classmethod
    def of(cls, activations: Activations, examples: int, sample: int) -> "Summary":
        values = activations.values
        lengths = np.diff(values.indptr)
        highest = np.zeros(values.shape[1], np.float32)
        np.maximum.at(highest, values.indices, values.data)
        return cls(
            pictures=len(activations.ids),
            fired=np.bincount(values.indices, minlength=values.shape[1]),
            total=np.bincount(values.indices, weights=values.data, minlength=values.shape[1]),
            highest=highest,
            top=Kept.of(activations.ids, values, -values.data.astype(np.float64), examples),
            sample=Kept.of(activations.ids, values, np.repeat(_scattered(activations.ids), lengths), sample),
        )

    def merge(self, other: "Summary") -> "Summary":
        return Summary(
            self.pictures + other.pictures,
            self.fired + other.fired,
            self.total + other.total,
            np.maximum(self.highest, other.highest),
            self.top.merge(other.top),
            self.sample.merge(other.sample),
        )

    def statistics(self, quantiles: int) -> FeatureStatistics:
        """What the pass found, with examples of `quantiles` equal parts."""
        example_ids, example_activations = self.top.table(slice(None))
        return FeatureStatistics(
            density=self.fired / max(1, self.pictures),
            mean_activation=(self.total / np.maximum(self.fired, 1)).astype(np.float32),
            max_activation=self.highest.astype(np.float32),
            example_ids=example_ids,
            example_activations=example_activations,
            quantile_example_ids=_quantiles(self.sample, quantiles),
        )


def _quantiles(sample: Kept, quantiles: int) -> np.ndarray:
    """The picture in the middle of each of `quantiles` equal parts of a sample, strongest first, int64
    [features, quantiles]; all of them where there are fewer than parts, then -1."""
    parts = [_quantiles_of(*sample.table(some), quantiles) for some in blocks(sample.features, sample.k, _SAMPLED)]
    return np.concatenate(parts)


def _quantiles_of(ids: np.ndarray, values: np.ndarray, quantiles: int) -> np.ndarray:
    order = np.lexsort((ids, -values), axis=1)
    count = (ids >= 0).sum(axis=1, keepdims=True)
    ids = np.take_along_axis(ids, order, axis=1)
    place = np.arange(quantiles)[None]
    spread = ((place + 0.5) / quantiles * count).astype(np.int64)
    chosen = np.where(count >= quantiles, spread, place).clip(max=ids.shape[1] - 1)
    found = np.take_along_axis(ids, chosen, axis=1)
    return np.where((count >= quantiles) | (place < count), found, -1)


def _scattered(ids: np.ndarray) -> np.ndarray:
    """A fixed number from 0 to 1 for each id, spread evenly (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))) / 2.0**64


@dataclass(frozen=True)
class CoActivation:
    """The second pass: what goes with a feature, as sums over some pictures. `strong` [features] counts the pictures
    in which it fires at half of its mean activation or more; over these `sums` [i, j], CSR, sums the activation of
    feature j where i is strong, and `latents` [features, latent_dim] the latents. `cofiring` [i, j], CSR, counts
    pictures in which i and j both fire, `histogram` [features, BINS] activations by their share of the largest;
    `pictures` and `total` [latent_dim] count and sum all pictures."""

    pictures: int
    total: np.ndarray
    strong: np.ndarray
    sums: sparse.csr_matrix
    latents: np.ndarray
    cofiring: sparse.csr_matrix
    histogram: np.ndarray

    @classmethod
    def of(
        cls, values: sparse.csr_matrix, latents: np.ndarray, mean_activation: np.ndarray, max_activation: np.ndarray
    ) -> "CoActivation":
        """values: CSR [N, features]; latents: [N, latent_dim] of the same pictures."""
        strong = values.copy()
        strong.data = (strong.data >= 0.5 * mean_activation[strong.indices]).astype(np.float32)
        strong.eliminate_zeros()
        fired = values.copy()
        fired.data = np.ones_like(values.data)
        share = values.data / np.maximum(max_activation[values.indices], 1e-12)
        cell = values.indices.astype(np.int64) * BINS + (share * BINS).astype(np.int64).clip(0, BINS - 1)
        return cls(
            pictures=len(latents),
            total=latents.sum(axis=0, dtype=np.float64),
            strong=np.asarray(strong.sum(axis=0)).ravel(),
            sums=_in_order(strong.T @ values),
            latents=np.asarray(strong.T @ latents, dtype=np.float32),
            cofiring=_in_order(fired.T @ fired),
            histogram=np.bincount(cell, minlength=values.shape[1] * BINS).reshape(-1, BINS),
        )

    def merge(self, other: "CoActivation") -> "CoActivation":
        return CoActivation(
            *(getattr(self, name) + getattr(other, name) for name in CoActivation.__dataclass_fields__),
        )

    def mean_coactivation(self) -> sparse.csr_matrix:
        """[i, j] the mean activation of feature j where i is strong, CSR float32."""
        times = np.repeat(np.maximum(self.strong, 1), np.diff(self.sums.indptr))
        parts = (self.sums.data / times).astype(np.float32), self.sums.indices, self.sums.indptr
        return sparse.csr_matrix(parts, shape=self.sums.shape)

    def direction(self) -> np.ndarray:
        """How the mean latent where a feature is strong differs from that of all pictures, float32 [features,
        latent_dim]; zero where it never fires."""
        mean = self.total / max(1, self.pictures)
        away = self.latents / np.maximum(self.strong, 1)[:, None] - mean
        return np.where(self.strong[:, None] > 0, away, 0.0).astype(np.float32)


def _in_order(pairs: sparse.spmatrix) -> sparse.csr_matrix:
    """As CSR with ascending columns, which makes sums of such fast."""
    found = pairs.tocsr()
    found.sort_indices()
    return found
