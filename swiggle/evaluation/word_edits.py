"""What edits by a word are worth where there is no truth but captions (docs/editing.md has the formula in words).

An edit by "make it red" should bring a held-out picture nearer to held-out pictures whose captions say "red" than most
other pictures are. How near a picture x is to a word w is a cosine in some embedding e:

    near(x, w) = cos(e(x) - m, M_w - M)

M_w and M are the mean embedding of the held-out pictures with w and of all, as they are; m is the mean of all as the
model draws them, D(E(x)), and so is x: what the model does to every picture alike counts for nothing. The *rank* of an
edited picture is the share of the other pictures without the word, as the model draws them, that are less near; half of
those that are as near. 0.5 is chance and 1 the best.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from swiggle.captions.tokens import tokenise
from swiggle.captions.vocabulary import Vocabulary

MIN_PICTURES = 20
"""Pictures of the whole set that must have a word for it to be asked for. With fewer, little can be learnt of it."""
MIN_HELD_OUT = 3
"""Held-out pictures that must have it. Of fewer the mean says more of them than of the word, and the ceiling, which
leaves a picture out, could not be taken."""
PUNCTUATION = ",;:.!?"
NEAR = 0.8
"""The rank from which an edit counts as arrived: one of five pictures taken by chance would."""


@dataclass(frozen=True)
class CaptionWords:
    """Which of N pictures have which word in their caption: `words` [n], `said` bool [N, n]."""

    words: Sequence[str]
    said: np.ndarray

    @classmethod
    def of(cls, captions: Sequence[str | None], words: Sequence[str]) -> "CaptionWords":
        found = [set(tokenise(caption or "")) for caption in captions]
        return cls(
            words, np.array([[word in own for word in words] for own in found], bool).reshape(len(found), len(words))
        )

    def have(self, word: str) -> np.ndarray:
        """Which pictures have a word, bool [N]."""
        return self.said[:, self.words.index(word)]

    def together(self) -> np.ndarray:
        """Whether any caption has both of two words, bool [n, n]. Those that never stand together may exclude each
        other, as "cat" and "dog" do."""
        counts = self.said.astype(np.float32)
        return (counts.T @ counts) > 0

    def scored(self) -> list[str]:
        """The words that enough pictures have for a mean, and enough have not for a rank."""
        times = self.said.sum(axis=0)
        enough = (times >= MIN_HELD_OUT) & (len(self.said) - times >= MIN_PICTURES)
        return [self.words[number] for number in np.flatnonzero(enough).tolist()]


def frequent_words(captions: Iterable[str | None], vocabulary: Vocabulary) -> list[str]:
    """The words that `MIN_PICTURES` captions have, the most frequent first, without filler and small words of
    English."""
    counts = Counter(word for caption in captions for word in set(tokenise(caption or "")))
    small = vocabulary.filler | vocabulary.nothing | ENGLISH_STOP_WORDS
    told = [word for word in counts if word not in small and word not in PUNCTUATION]
    return sorted((word for word in told if counts[word] >= MIN_PICTURES), key=lambda word: (-counts[word], word))


@dataclass(frozen=True)
class Nearness:
    """The held-out pictures in one embedding: as they are, `originals`, and as the model draws them, `drawn`, both
    float [N, d]; `words`, which of them say what."""

    originals: np.ndarray
    drawn: np.ndarray
    words: CaptionWords

    def near(self, embedded: np.ndarray, word: str, without: int | None = None) -> np.ndarray:
        """How near pictures as the model draws them, [n, d], are to a word: [n], -1 to 1. `without`, a held-out picture
        that is left out of the mean of those with the word."""
        return _unit(embedded - self._mean) @ self._towards(word, without)

    def _towards(self, word: str, without: int | None) -> np.ndarray:
        """The direction of M_w - M, a unit vector [d]."""
        there = self.words.have(word).copy()
        if without is not None:
            there[without] = False
        return _unit(self.originals[there].mean(axis=0) - self._middle)

    def _drawn_near(self, word: str, without: int | None = None) -> np.ndarray:
        """How near the held-out pictures themselves are, as the model draws them: [N]."""
        return self._directions @ self._towards(word, without)

    @cached_property
    def _middle(self) -> np.ndarray:
        return self.originals.mean(axis=0)

    @cached_property
    def _mean(self) -> np.ndarray:
        return self.drawn.mean(axis=0)

    @cached_property
    def _directions(self) -> np.ndarray:
        return _unit(self.drawn - self._mean)

    def ranks(self, embedded: np.ndarray, of: np.ndarray, word: str) -> np.ndarray:
        """The rank, 0 to 1, of edited pictures [n, d] that were made of held-out pictures `of`, int [n]; these are not
        among those that they are compared with."""
        others = np.flatnonzero(~self.words.have(word))
        known, own = self._drawn_near(word)[others], self.near(embedded, word)
        return np.array([_rank(mine, known[others != row]) for mine, row in zip(own, of, strict=True)])

    def ceiling(self, word: str) -> np.ndarray:
        """The ranks of the pictures that do have a word, as the model draws them, each left out of the mean that it is
        compared with: what an edit can reach."""
        others = np.flatnonzero(~self.words.have(word))
        found = []
        for row in np.flatnonzero(self.words.have(word)).tolist():
            known = self._drawn_near(word, without=row)
            found.append(_rank(known[row], known[others]))
        return np.array(found)

    def kept(self, embedded: np.ndarray, of: np.ndarray, word: str, together: np.ndarray) -> np.ndarray:
        """How far an edit by a word takes pictures from the other words that they have, as far as captions say both
        together, [n, n] of `CaptionWords.together`: the mean change of their ranks, one figure for each picture that
        has such a word. 0 is the best."""
        number = self.words.words.index(word)
        said = self.words.said
        changes: dict[int, list[float]] = {}
        for name in self.words.scored():
            other = self.words.words.index(name)
            if other == number or not together[number, other]:
                continue
            for row in np.flatnonzero(said[of, other]).tolist():
                source = int(of[row])
                drawn = self._drawn_near(name, without=source)
                known, after = drawn[~said[:, other]], self.near(embedded[[row]], name, without=source)[0]
                changes.setdefault(row, []).append(_rank(after, known) - _rank(drawn[source], known))
        return np.array([float(np.mean(found)) for found in changes.values()])


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors [..., d] of length 1; those of no length stay."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _rank(own: float, others: np.ndarray) -> float:
    """The share of others that are less, and half of those that are equal."""
    return float(((others < own).sum() + 0.5 * (others == own).sum()) / len(others))


def summarised(ranks: Sequence[np.ndarray]) -> dict[str, float]:
    """Of the ranks of each word's edits: `rank`, their mean, and `arrived`, the share from `NEAR` on; each word counts
    as much as another."""
    return {
        "rank": float(np.mean([found.mean() for found in ranks])),
        "arrived": float(np.mean([(found >= NEAR).mean() for found in ranks])),
    }
