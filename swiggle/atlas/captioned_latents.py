"""The training latents and the terms that their captions hold: class means, and linear discriminants.

How one thing looks in latent space may depend on another that lies on it. So the move from one shirt to another is best
taken from pictures that have the print in question, once with the one shirt and once with the other: the difference of
two class means. Such pictures are found by their captions. Linear discriminants, learnt on captions too, read what a
picture without a caption shows. No trait column is read.

atlas/captioned_latents.safetensors  the arrays of `CaptionedLatents`; atlas/terms.json  its terms
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse
from threadpoolctl import threadpool_limits

from swiggle.blocks import blocks
from swiggle.captions.terms import classes_of, incidence, mentioned_by
from swiggle.captions.vocabulary import Mention, Vocabulary

ARRAYS = "captioned_latents.safetensors"
_EARLIER = "memory.safetensors"
_EARLIER_NAMES = {"held": "term_share", "reader": "discriminant"}
"""The file and its arrays, in bundles made before they had the names of the field."""
TERMS = "terms.json"
MIN_SAID = 10
"""Training captions that must hold a term for it to be read from pictures. Fewer give a mean of noise; of Nouns every
term has more."""
APART = 0.2
"""Of the times that two terms would meet in a caption by chance, the share below which they are said in place of each
other. More makes rivals of what may stand beside each other, which is then taken out with it."""
MOST_READ = 4_096
"""Terms of no place that are read from pictures, at most, those held most often. Each costs a latent and a number a
feature in the bundle: 3 MB a thousand at a latent of 256 and 2,048 features."""
_RIDGE = 1e-3
"""Added to the variances within a class, of their mean. Ten times as much or as little changes no edit; without it the
inverse would not exist for sets of fewer pictures than a latent has numbers."""


@dataclass(frozen=True)
class CaptionedLatents:
    """Of N training pictures: `latents` float16 [N, latent_dim]; `incidence` [N, terms], which caption holds which
    term. `term_share` float16 [features, terms]: of the captions of the pictures in which a feature is strong, the
    share that hold a term. `discriminant` float32 [latent_dim + 1, terms] reads terms from latents, its last row a
    constant; `whole`, bool [terms], tells those that captions say as they are from parts of longer ones, which are not
    read."""

    terms: Sequence[Mention]
    latents: np.ndarray
    incidence: sparse.csc_matrix
    term_share: np.ndarray
    discriminant: np.ndarray
    whole: np.ndarray

    @cached_property
    def number(self) -> dict[Mention, int]:
        """Where in `terms` a term stands."""
        return {term: number for number, term in enumerate(self.terms)}

    def read(self, latent: np.ndarray) -> dict[str | None, int]:
        """What a picture's caption would most likely say of each place: the number of a term by place."""
        scores = latent @ self.discriminant[:-1] + self.discriminant[-1]
        return {place: int(numbers[scores[numbers].argmax()]) for place, numbers in self._places.items()}

    def shows(self, latent: np.ndarray, term: int) -> bool:
        """Whether a picture is read to show a term of no place rather than any of its rivals."""
        scores = latent @ self.discriminant[:-1] + self.discriminant[-1]
        rivals = self.rivals(term)
        return bool(self.whole[term] and len(rivals) and scores[term] > scores[rivals].max())

    def shown_instead(self, latent: np.ndarray, term: int) -> int | None:
        """The rival of a term that a picture's caption would most likely say; None where the term has none."""
        rivals = self.rivals(term)
        scores = latent @ self.discriminant[:-1, rivals] + self.discriminant[-1, rivals]
        return int(rivals[scores.argmax()]) if len(rivals) else None

    def rivals(self, term: int) -> np.ndarray:
        """What captions say of no place in place of a term: the numbers of the terms that they say far less often
        beside it than by chance."""
        if term not in self._rivals:
            free = np.flatnonzero(self.whole & np.array([other.place is None for other in self.terms]))
            rows = self.pictures(term)
            beside = np.bincount(self._by_picture[rows].indices, minlength=len(self.terms))[free]
            expected = len(rows) * np.diff(self.incidence.indptr)[free] / max(1, len(self.latents))
            self._rivals[term] = free[(beside < APART * expected) & (free != term)]
        return self._rivals[term]

    @cached_property
    def _rivals(self) -> dict[int, np.ndarray]:
        return {}

    @cached_property
    def _by_picture(self) -> sparse.csr_matrix:
        return self.incidence.tocsr()

    def pictures(self, term: int) -> np.ndarray:
        """Rows of the pictures whose captions hold a term, ascending."""
        return self.incidence.indices[self.incidence.indptr[term] : self.incidence.indptr[term + 1]]

    def class_mean(self, term: int) -> np.ndarray:
        """Mean latent of the pictures whose captions hold a term, float32 [latent_dim]; worked out once."""
        if term not in self._means:
            self._means[term] = self.mean(self.pictures(term))
        return self._means[term]

    @cached_property
    def _means(self) -> dict[int, np.ndarray]:
        return {}

    def mean(self, rows: np.ndarray) -> np.ndarray:
        """Mean latent of some pictures, float32 [latent_dim]."""
        return self.latents[rows].mean(axis=0, dtype=np.float32)

    @cached_property
    def _places(self) -> dict[str | None, np.ndarray]:
        return _by_place(self.terms, self.whole)

    def save(self, folder: Path) -> None:
        arrays = {name: getattr(self, name) for name in ("latents", "term_share", "discriminant", "whole")}
        arrays |= {"rows": self.incidence.indices.astype(np.int32), "starts": self.incidence.indptr.astype(np.int32)}
        # safetensors writes an array's buffer as it lies, in whatever order.
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / ARRAYS)
        listed = [{"place": term.place, "words": term.words} for term in self.terms]
        (folder / TERMS).write_text(json.dumps(listed) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "CaptionedLatents":
        """Read what `save` wrote."""
        terms = [Mention(term["place"], tuple(term["words"])) for term in json.loads((folder / TERMS).read_text())]
        stored = folder / ARRAYS if (folder / ARRAYS).exists() else folder / _EARLIER
        arrays = {_EARLIER_NAMES.get(name, name): array for name, array in load_file(stored).items()}
        rows, starts = arrays.pop("rows"), arrays.pop("starts")
        shape = (len(arrays["latents"]), len(terms))
        return cls(terms, incidence=sparse.csc_matrix((np.ones(len(rows), bool), rows, starts), shape=shape), **arrays)


def captioned_latents(
    latents: np.ndarray,
    captions: Sequence[str | None],
    values: sparse.csr_matrix,
    mean_activation: np.ndarray,
    labelled: Iterable[Mention],
    vocabulary: Vocabulary,
) -> CaptionedLatents:
    """Of training pictures with latents [N, latent_dim], N captions and activations CSR [N, features]; each feature's
    mean activation where active, and the terms that features are labelled with."""
    mentioned = mentioned_by(captions, vocabulary)
    classes = set(classes_of(mentioned, MIN_SAID, MOST_READ))
    terms = sorted(classes.union(labelled), key=lambda term: (term.place or "", term.words))
    # What captions say of a place as a whole is not held by one that says more ("square blue" by "square blue green").
    holds = incidence(mentioned, terms, {term for term in classes if term.place is not None})
    strong = values.copy()
    strong.data = (strong.data >= 0.5 * mean_activation[strong.indices]).astype(np.float32)
    times = np.asarray(strong.sum(axis=0)).ravel()[:, None]
    share = np.empty((values.shape[1], len(terms)), np.float16)
    by_feature = strong.tocsc()
    for some in blocks(*share.shape):
        share[some] = (by_feature[:, some].T @ holds).toarray() / np.maximum(times[some], 1.0)
    whole = np.array([term in classes for term in terms], dtype=bool)
    by_term = holds.tocsc().astype(bool)
    by_term.sort_indices()
    discriminant = _discriminants(latents, holds, _by_place(terms, whole))
    return CaptionedLatents(terms, latents.astype(np.float16), by_term, share, discriminant, whole)


@threadpool_limits.wrap(limits=1)  # the order of a sum, and so its last bit, would depend on the number of threads
def _discriminants(
    latents: np.ndarray, holds: sparse.csr_matrix, places: Mapping[str | None, np.ndarray]
) -> np.ndarray:
    """Linear discriminants (Fisher 1936) of terms: float32 [latent_dim + 1, terms], the last row a constant. `places`:
    the numbers of the terms of each place. Those exclude each other, and the covariance is that within them; a caption
    may hold many terms of no place, which are told from all pictures with the covariance of all."""
    found = np.zeros((latents.shape[1] + 1, holds.shape[1]))
    z = latents.astype(np.float64)
    for place, numbers in places.items():
        truth = holds[:, numbers]
        count = np.asarray(truth.sum(axis=0)).ravel()
        means = (truth.T @ z) / count[:, None]
        rest = z - (truth @ means if place is not None else z.mean(axis=0))
        weights = np.linalg.solve(regularised(rest.T @ rest / len(z)), means.T)
        found[:-1, numbers] = weights
        found[-1, numbers] = np.log(count / len(z)) - 0.5 * (means * weights.T).sum(axis=1)
    return found.astype(np.float32)


def regularised(covariance: np.ndarray) -> np.ndarray:
    """A covariance within classes [d, d], made fit to be inverted (Friedman 1989)."""
    size = len(covariance)
    return covariance + _RIDGE * np.trace(covariance) / size * np.eye(size, dtype=covariance.dtype)


def _by_place(terms: Sequence[Mention], whole: np.ndarray) -> dict[str | None, np.ndarray]:
    """The numbers of the terms that captions say as they are, by place."""
    places: dict[str | None, list[int]] = {}
    for number in np.flatnonzero(whole).tolist():
        places.setdefault(terms[number].place, []).append(number)
    return {place: np.array(numbers) for place, numbers in places.items()}
