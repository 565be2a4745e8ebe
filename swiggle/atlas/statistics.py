"""What activations say of each feature, as sums that can be merged in any order.

Any number of workers summarise a batch of pictures each, and the summaries are merged two by two, so memory depends on
the number of features and not on that of pictures. There are two passes: `Summary` needs nothing, `Company` needs the
levels that the first pass found.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from swiggle.atlas.activations import Activations

BINS = 20
"""Of the histogram of activation / largest activation, over 0 to 1."""


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
    """For each feature the k pictures of least key, in order: `keys` float64, `ids` int64, `values` float32, each
    [features, k]; where there are fewer, infinity, -1 and 0."""

    keys: np.ndarray
    ids: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, ids: np.ndarray, activations: sparse.csr_matrix, keys: np.ndarray, k: int) -> "Kept":
        """`ids` [N] of the rows; `keys` one for each stored value of the activations."""
        feature, row_ids = activations.indices, np.repeat(ids, np.diff(activations.indptr))
        order = np.lexsort((row_ids, keys, feature))
        counts = np.bincount(feature, minlength=activations.shape[1])
        rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        order, rank = order[rank < k], rank[rank < k]
        shape = (activations.shape[1], k)
        kept = cls(np.full(shape, np.inf), np.full(shape, -1, np.int64), np.zeros(shape, np.float32))
        for array, source in ((kept.keys, keys), (kept.ids, row_ids), (kept.values, activations.data)):
            array[feature[order], rank] = source[order]
        return kept

    def merge(self, other: "Kept") -> "Kept":
        keys, ids, values = (
            np.concatenate(pair, axis=1)
            for pair in ((self.keys, other.keys), (self.ids, other.ids), (self.values, other.values))
        )
        first = np.lexsort((ids, keys), axis=1)[:, : self.keys.shape[1]]
        return Kept(*(np.take_along_axis(array, first, axis=1) for array in (keys, ids, values)))


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
        return FeatureStatistics(
            density=self.fired / max(1, self.pictures),
            mean_activation=(self.total / np.maximum(self.fired, 1)).astype(np.float32),
            max_activation=self.highest.astype(np.float32),
            example_ids=self.top.ids,
            example_activations=self.top.values,
            quantile_example_ids=_quantiles(self.sample, quantiles),
        )


def _quantiles(sample: Kept, quantiles: int) -> np.ndarray:
    """The picture in the middle of each of `quantiles` equal parts of a sample, strongest first, int64
    [features, quantiles]; all of them where there are fewer than parts, then -1."""
    order = np.lexsort((sample.ids, -sample.values), axis=1)
    ids = np.take_along_axis(sample.ids, order, axis=1)
    count = (sample.ids >= 0).sum(axis=1, keepdims=True)
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
class Company:
    """The second pass: what goes with a feature, as sums over some pictures. `strong` [features] counts the pictures
    in which it fires at half of its mean activation or more; over these `levels` [i, j] sums the activation of feature
    j where i is strong, and `latents` [features, latent_dim] the latents. `together` [i, j] counts pictures in which i
    and j both fire, `histogram` [features, BINS] activations by their share of the largest; `pictures` and `total`
    [latent_dim] count and sum all pictures."""

    pictures: int
    total: np.ndarray
    strong: np.ndarray
    levels: np.ndarray
    latents: np.ndarray
    together: np.ndarray
    histogram: np.ndarray

    @classmethod
    def of(
        cls, values: sparse.csr_matrix, latents: np.ndarray, mean_activation: np.ndarray, max_activation: np.ndarray
    ) -> "Company":
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
            levels=(strong.T @ values).toarray(),
            latents=np.asarray(strong.T @ latents, dtype=np.float32),
            together=(fired.T @ fired).toarray(),
            histogram=np.bincount(cell, minlength=values.shape[1] * BINS).reshape(-1, BINS),
        )

    def merge(self, other: "Company") -> "Company":
        return Company(
            *(getattr(self, name) + getattr(other, name) for name in Company.__dataclass_fields__),
        )

    def mean_levels(self) -> np.ndarray:
        """[i, j] the mean activation of feature j where i is strong; zero where i never fires: float32."""
        return (self.levels / np.maximum(self.strong, 1)[:, None]).astype(np.float32)

    def direction(self) -> np.ndarray:
        """How the mean latent where a feature is strong differs from that of all pictures, float32 [features,
        latent_dim]; zero where it never fires."""
        mean = self.total / max(1, self.pictures)
        away = self.latents / np.maximum(self.strong, 1)[:, None] - mean
        return np.where(self.strong[:, None] > 0, away, 0.0).astype(np.float32)
