"""A prototype for each pair of terms of two places that lie on each other, as a print lies on a shirt.

The latent of a picture is, nearly, a sum of one vector for each term that its caption holds; not so where two of them
share pixels. So for two such places every pair of terms that captions hold together gets a prototype: the mean latent
of its pictures, less what the sum has for the other places, so that few pictures suffice. Prototypes tell what a
picture shows of both places at once (the nearest, with the covariance within pairs: Fisher's linear discriminant,
1936), and how its latent moves when one of the two changes. Captions alone say what a picture holds; no trait column
is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from swiggle.atlas.captioned_latents import CaptionedLatents, regularised


@dataclass(frozen=True)
class PairPrototypes:
    """Of the places `one` and `other`: `pairs` int [pairs, 2], the numbers of the terms; `prototype` float32 [pairs,
    latent_dim], relative to the mean of all pictures. `vectors` [terms, latent_dim] is the sum's; `weights` [pairs,
    latent_dim] and `offset` [pairs] read pairs from latents."""

    one: str
    other: str
    pairs: np.ndarray
    prototype: np.ndarray
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
        float32 [latent_dim], or None if captions never held one of the two pairs."""
        pairs = [(term, beside) if place == self.one else (beside, term) for term in (asked, shown)]
        if not all(pair in self._row for pair in pairs):
            return None
        new, old = (self.prototype[self._row[pair]] for pair in pairs)
        return new - old

    def beside(self, place: str | None) -> str:
        """The other of the two places."""
        return self.other if place == self.one else self.one

    @cached_property
    def _row(self) -> dict[tuple[int, int], int]:
        return {(int(one), int(other)): row for row, (one, other) in enumerate(self.pairs)}


def pair_prototypes(captioned: CaptionedLatents, one: str, other: str) -> PairPrototypes | None:
    """The prototypes of two places; None if captions hold no two terms of them together."""
    latents = captioned.latents.astype(np.float32)
    holds = captioned.incidence.astype(np.float32).tocsr()
    mean = latents.mean(axis=0)
    vectors = _vectors(holds, latents - mean, captioned.whole)
    of_place = [np.array([term.place == place for term in captioned.terms]) for place in (one, other)]
    ours, theirs = (own & captioned.whole for own in of_place)
    rows, terms = _together(holds.multiply(ours).tocsr(), holds.multiply(theirs).tocsr())
    if not len(rows):
        return None
    pairs, which, count = np.unique(terms, axis=0, return_inverse=True, return_counts=True)
    members = sparse.csr_matrix((np.ones(len(rows), np.float32), (which, rows)), shape=(len(pairs), len(latents)))
    own = latents - mean - holds @ (vectors * ~(ours | theirs)[:, None])
    prototype = (members @ own) / count[:, None]
    within = own[rows] - prototype[which]
    weights = np.linalg.solve(regularised(within.T @ within / len(rows)), prototype.T).T
    offset = 0.5 * (weights * prototype).sum(axis=1)
    return PairPrototypes(one, other, pairs, prototype, mean, vectors, weights, offset)


def _vectors(holds: sparse.csr_matrix, deviations: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The sum's vector for each term that captions say as a whole, by least squares: float32 [terms, latent_dim]. Of
    the many solutions (a constant can move from one place to another) the smallest."""
    kept = holds[:, np.flatnonzero(whole)].astype(np.float64)
    vectors = np.zeros((len(whole), deviations.shape[1]), np.float32)
    vectors[whole] = np.linalg.lstsq((kept.T @ kept).toarray(), kept.T @ deviations, rcond=1e-10)[0]
    return vectors


def _together(one: sparse.csr_matrix, other: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [n] and the terms [n, 2] of the one and of the other matrix that their captions hold together."""
    one.eliminate_zeros()
    other.eliminate_zeros()
    rows = np.repeat(np.arange(one.shape[0]), np.diff(one.indptr))
    times = np.diff(other.indptr)[rows]
    at = np.repeat(other.indptr[rows] - np.concatenate([[0], np.cumsum(times)[:-1]]), times) + np.arange(times.sum())
    return np.repeat(rows, times), np.stack([np.repeat(one.indices, times), other.indices[at]], axis=1)
