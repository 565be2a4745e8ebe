"""What edits remember of the training pictures: their latents, and what their captions say.

How a shirt looks in latent space depends on the print that lies on it. So the move from one shirt to another is best
taken from pictures that have the print in question, once with the one shirt and once with the other. The memory finds
such pictures by their captions, and reads by linear discriminants, learnt on captions too, what a picture without a
caption would be said to have. No trait column is read.

atlas/memory.safetensors  the arrays of `Memory`; atlas/terms.json  its terms
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse
from threadpoolctl import threadpool_limits

from swiggle.atlas.caption_labels import incidence, terms_of
from swiggle.blocks import blocks
from swiggle.captions.vocabulary import Mention, Vocabulary

ARRAYS = "memory.safetensors"
TERMS = "terms.json"
MIN_SAID = 10
"""Training captions that must say a thing for it to be read from pictures."""
_RIDGE = 1e-3
"""Added to the variances within a class, of their mean."""


@dataclass(frozen=True)
class Memory:
    """Of N training pictures: `latents` float16 [N, latent_dim]; `said` [N, terms], which caption holds which term.
    `held` float16 [features, terms]: of the captions of the pictures in which a feature is strong, the share that hold
    a term. `reader` float32 [latent_dim + 1, terms] reads terms from latents; `whole`, bool [terms], tells those that
    captions say as they are from parts of longer ones, which are not read."""

    terms: Sequence[Mention]
    latents: np.ndarray
    said: sparse.csc_matrix
    held: np.ndarray
    reader: np.ndarray
    whole: np.ndarray

    @cached_property
    def number(self) -> dict[Mention, int]:
        """Where in `terms` a term stands."""
        return {term: number for number, term in enumerate(self.terms)}

    def read(self, latent: np.ndarray) -> dict[str | None, int]:
        """What a picture's caption would most likely say of each place: the number of a term by place."""
        scores = latent @ self.reader[:-1] + self.reader[-1]
        return {place: int(numbers[scores[numbers].argmax()]) for place, numbers in self._places.items()}

    def pictures(self, term: int) -> np.ndarray:
        """Rows of the pictures whose captions hold a term, ascending."""
        return self.said.indices[self.said.indptr[term] : self.said.indptr[term + 1]]

    def mean_of(self, term: int) -> np.ndarray:
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
        arrays = {"latents": self.latents, "held": self.held, "reader": self.reader, "whole": self.whole}
        arrays |= {"rows": self.said.indices.astype(np.int32), "starts": self.said.indptr.astype(np.int32)}
        # safetensors writes an array's buffer as it lies, in whatever order.
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / ARRAYS)
        listed = [{"place": term.place, "words": term.words} for term in self.terms]
        (folder / TERMS).write_text(json.dumps(listed) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Memory":
        """Read what `save` wrote."""
        terms = [Mention(term["place"], tuple(term["words"])) for term in json.loads((folder / TERMS).read_text())]
        arrays = load_file(folder / ARRAYS)
        rows, starts = arrays.pop("rows"), arrays.pop("starts")
        shape = (len(arrays["latents"]), len(terms))
        return cls(terms, said=sparse.csc_matrix((np.ones(len(rows), bool), rows, starts), shape=shape), **arrays)


def remember(
    latents: np.ndarray,
    captions: Sequence[str | None],
    values: sparse.csr_matrix,
    mean_activation: np.ndarray,
    labelled: Iterable[Mention],
    vocabulary: Vocabulary,
) -> Memory:
    """The memory of training pictures: latents [N, latent_dim], N captions, activations CSR [N, features], each
    feature's mean activation where active, and the terms that features are labelled with."""
    counts = Counter(mention for caption in captions for mention in set(vocabulary.mentions(caption or "")))
    said_whole = {mention for mention, count in counts.items() if count >= MIN_SAID}
    terms = sorted(said_whole | set(labelled), key=lambda term: (term.place or "", term.words))
    column = {term: number for number, term in enumerate(terms)}
    # What captions say as a whole is not held by a caption that says more ("square blue" by "square blue green").
    parts = set(terms) - said_whole
    said = incidence(
        [set(vocabulary.mentions(text or "")) & said_whole | terms_of(text, vocabulary) & parts for text in captions],
        column,
    )
    strong = values.copy()
    strong.data = (strong.data >= 0.5 * mean_activation[strong.indices]).astype(np.float32)
    times = np.asarray(strong.sum(axis=0)).ravel()[:, None]
    held = np.empty((values.shape[1], len(terms)), np.float16)
    by_feature = strong.tocsc()
    for some in blocks(*held.shape):
        held[some] = (by_feature[:, some].T @ said).toarray() / np.maximum(times[some], 1.0)
    whole = np.array([term in said_whole for term in terms], dtype=bool)
    by_term = said.tocsc().astype(bool)
    by_term.sort_indices()
    reader = _reader(latents, said, list(_by_place(terms, whole).values()))
    return Memory(terms, latents.astype(np.float16), by_term, held, reader, whole)


@threadpool_limits.wrap(limits=1)  # the order of a sum, and so its last bit, would depend on the number of threads
def _reader(latents: np.ndarray, said: sparse.csr_matrix, places: Sequence[np.ndarray]) -> np.ndarray:
    """Linear discriminants (Fisher 1936) of what is said of each place: float32 [latent_dim + 1, terms], the last row
    a constant. `places` holds the numbers of the terms that exclude each other."""
    reader = np.zeros((latents.shape[1] + 1, said.shape[1]))
    z = latents.astype(np.float64)
    for numbers in places:
        truth = said[:, numbers]
        count = np.asarray(truth.sum(axis=0)).ravel()
        means = (truth.T @ z) / count[:, None]
        rest = z - truth @ means
        within = rest.T @ rest / len(z)
        within += _RIDGE * np.trace(within) / len(within) * np.eye(len(within))
        weights = np.linalg.solve(within, means.T)
        reader[:-1, numbers] = weights
        reader[-1, numbers] = np.log(count / len(z)) - 0.5 * (means * weights.T).sum(axis=1)
    return reader.astype(np.float32)


def _by_place(terms: Sequence[Mention], whole: np.ndarray) -> dict[str | None, np.ndarray]:
    """The numbers of the terms that captions say as they are, by place."""
    places: dict[str | None, list[int]] = {}
    for number in np.flatnonzero(whole).tolist():
        places.setdefault(terms[number].place, []).append(number)
    return {place: np.array(numbers) for place, numbers in places.items()}
