"""How two things look that lie on each other, as a print on a shirt: pair by pair, from remembered pictures.

The latent of a picture is, nearly, a sum of one vector for each thing that its caption says; not so where two of them
share pixels. So for two such places every pair of things that captions name together gets a look of its own: the
mean latent of its pictures, less what the sum has for the other places, so that few pictures do. Looks tell what a
picture shows of both places at once (the nearest, with the covariance within pairs: Fisher's discriminants, 1936), and
how it changes when one of the two does. Captions alone say what a picture holds; no trait column is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from swiggle.atlas.captioned_latents import Memory
from swiggle.editing.class_means import LEAST

_RIDGE = 0.1
"""Pictures that speak against any vector of the sum."""
_SHRINK = 1e-3
"""Added to the variances within a pair, of their mean."""


@dataclass(frozen=True)
class Looks:
    """Of the places `one` and `other`: `pairs` int [pairs, 2], the numbers of the terms; `look` float32 [pairs,
    latent_dim], relative to the mean of all pictures; `count` [pairs], of how many pictures. `vectors` [terms,
    latent_dim] is the sum's; `weights` [pairs, latent_dim] and `offset` [pairs] read pairs from latents."""

    one: str
    other: str
    pairs: np.ndarray
    look: np.ndarray
    count: np.ndarray
    mean: np.ndarray
    vectors: np.ndarray
    weights: np.ndarray
    offset: np.ndarray

    def read(self, latent: np.ndarray, shown: Mapping[str | None, int]) -> dict[str | None, int]:
        """What a picture shows of the two places, given what it shows of the others: term by place."""
        rest = [term for place, term in shown.items() if place not in (self.one, self.other)]
        own = latent - self.mean - self.vectors[rest].sum(axis=0)
        one, other = self.pairs[int((self.weights @ own - self.offset).argmax())]
        return {self.one: int(one), self.other: int(other)}

    def move(self, place: str | None, asked: int, shown: int, beside: int) -> np.ndarray | None:
        """From a picture that shows a term in a place and `beside` in the other to one that shows `asked` there:
        float32 [latent_dim], or None if either pair was seen fewer than `LEAST` times."""
        pairs = [(term, beside) if place == self.one else (beside, term) for term in (asked, shown)]
        rows = [self._row[pair] for pair in pairs if pair in self._row]
        if len(rows) < len(pairs) or min(self.count[rows]) < LEAST:
            return None
        return self.look[rows[0]] - self.look[rows[1]]

    def beside(self, place: str | None) -> str:
        """The other of the two places."""
        return self.other if place == self.one else self.one

    @cached_property
    def _row(self) -> dict[tuple[int, int], int]:
        return {(int(one), int(other)): row for row, (one, other) in enumerate(self.pairs)}


def looks_of(memory: Memory, one: str, other: str) -> Looks | None:
    """The looks of two places; None if captions name no two things of them together."""
    latents = memory.latents.astype(np.float32)
    said = memory.said.astype(np.float32).tocsr()
    mean = latents.mean(axis=0)
    vectors = _vectors(said, latents - mean, memory.whole)
    ours, theirs = (np.array([term.place == place for term in memory.terms]) & memory.whole for place in (one, other))
    rows, terms = _together(said.multiply(ours).tocsr(), said.multiply(theirs).tocsr())
    if not len(rows):
        return None
    pairs, which, count = np.unique(terms, axis=0, return_inverse=True, return_counts=True)
    members = sparse.csr_matrix((np.ones(len(rows), np.float32), (which, rows)), shape=(len(pairs), len(latents)))
    own = latents - mean - said @ (vectors * ~(ours | theirs)[:, None])
    look = (members @ own) / count[:, None]
    within = own[rows] - look[which]
    covariance = within.T @ within / len(rows)
    covariance += _SHRINK * np.trace(covariance) / len(mean) * np.eye(len(mean), dtype=np.float32)
    weights = np.linalg.solve(covariance, look.T).T
    return Looks(one, other, pairs, look, count, mean, vectors, weights, 0.5 * (weights * look).sum(axis=1))


def _vectors(said: sparse.csr_matrix, deviations: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The sum's vector for each term that captions say as a whole, by least squares: float32 [terms, latent_dim]."""
    kept = said[:, np.flatnonzero(whole)]
    gram = (kept.T @ kept).toarray() + _RIDGE * np.eye(kept.shape[1])
    vectors = np.zeros((len(whole), deviations.shape[1]), np.float32)
    vectors[whole] = np.linalg.solve(gram, kept.T @ deviations)
    return vectors


def _together(one: sparse.csr_matrix, other: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [n] and the terms [n, 2] of the one and of the other matrix that their captions hold together."""
    one.eliminate_zeros()
    other.eliminate_zeros()
    rows = np.repeat(np.arange(one.shape[0]), np.diff(one.indptr))
    times = np.diff(other.indptr)[rows]
    at = np.repeat(other.indptr[rows] - np.concatenate([[0], np.cumsum(times)[:-1]]), times) + np.arange(times.sum())
    return np.repeat(rows, times), np.stack([np.repeat(one.indices, times), other.indices[at]], axis=1)
