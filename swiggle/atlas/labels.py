"""A label for each feature from the captions of the pictures it fires on. No trait column is read.

Each caption becomes a set of *terms*: words that stand together, with the place they are said of, and every shorter
run inside them ("square red" of the glasses, "square", "red"). A feature is labelled with the term it detects best: of
all terms and three thresholds, the one with the highest F-score of "the feature fires above the threshold" against
"the caption holds the term" on the training captions. Precision counts twice as much as recall, for a feature may
carry a part of a concept but should not be named after what it does not mean. What the label is worth is then measured
on validation captions; below `min_confidence` the feature is called unexplained.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from swiggle.vocabulary import Mention, Vocabulary

UNEXPLAINED = "unexplained"
THRESHOLDS = (0.0, 0.25, 0.5)
"""Shares of a feature's largest activation above which it counts as firing."""
BETA = 0.5
_TIE = 0.01
_MIN_FIRINGS = 5


@dataclass(frozen=True)
class Label:
    """`text` for people, `term` (words, place) it stands for, `confidence` its F-score on validation captions,
    `precision` and `recall` there, `threshold` as a share of the feature's largest activation."""

    text: str
    term: str = ""
    place: str | None = None
    confidence: float = 0.0
    precision: float = 0.0
    recall: float = 0.0
    threshold: float = 0.0


def terms_of(caption: str | None, vocabulary: Vocabulary) -> set[Mention]:
    """All terms of a caption."""
    found: set[Mention] = set()
    for mention in vocabulary.mentions(caption or ""):
        words = mention.words
        for start in range(len(words)):
            found.update(Mention(mention.place, words[start:end]) for end in range(start + 1, len(words) + 1))
    return found


def label_features(
    train: tuple[sparse.csr_matrix, Sequence[str | None]],
    validation: tuple[sparse.csr_matrix, Sequence[str | None]],
    max_activation: np.ndarray,
    vocabulary: Vocabulary,
    min_confidence: float,
) -> list[Label]:
    """Label every feature. `train` and `validation`: activations CSR [N, features] and N captions."""
    train_terms = [terms_of(caption, vocabulary) for caption in train[1]]
    terms = sorted(set().union(*train_terms), key=lambda t: (t.words, t.place or ""))
    if not terms:
        return [Label(UNEXPLAINED)] * train[0].shape[1]
    column = {term: number for number, term in enumerate(terms)}
    said = incidence(train_terms, column)
    said_validation = incidence([terms_of(caption, vocabulary) for caption in validation[1]], column)

    length = np.array([len(term.words) for term in terms])
    features = train[0].shape[1]
    best = np.zeros(features)
    chosen = np.zeros(features, dtype=int)
    threshold = np.zeros(features)
    for share in THRESHOLDS:
        score = _scores(firing(train[0], share * max_activation), said)[0]
        # Of terms that say nearly the same, the one with more words says it more exactly.
        top = score.max(axis=1)
        near = score >= top[:, None] - _TIE
        pick = np.where(near, length[None, :] + score, -1.0).argmax(axis=1)
        better = top > best + _TIE
        best, threshold = np.where(better, top, best), np.where(better, share, threshold)
        chosen = np.where(better, pick, chosen)

    labels = []
    firings = np.asarray((train[0] > 0).sum(axis=0)).ravel()
    held_out = {share: _scores(firing(validation[0], share * max_activation), said_validation) for share in THRESHOLDS}
    for i in range(features):
        score, precision, recall = (part[i, chosen[i]] for part in held_out[threshold[i]])
        term = terms[chosen[i]]
        if firings[i] < _MIN_FIRINGS or score < min_confidence:
            labels.append(Label(UNEXPLAINED, confidence=float(score) if firings[i] >= _MIN_FIRINGS else 0.0))
            continue
        words = " ".join(term.words)
        text = f"{words} {vocabulary.place_name(term.place)}" if term.place else words
        labels.append(
            Label(text, words, term.place, float(score), float(precision), float(recall), float(threshold[i]))
        )
    return labels


def incidence(found: Sequence[set[Mention]], column: dict[Mention, int]) -> sparse.csr_matrix:
    """Which caption holds which term, CSR of ones [captions, terms]; terms outside `column` are left out."""
    pairs = [(row, column[term]) for row, terms in enumerate(found) for term in terms if term in column]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(found), len(column)))


def firing(values: sparse.csr_matrix, levels: np.ndarray) -> sparse.csr_matrix:
    """Ones where an activation is above its feature's level [features]."""
    fired = values.copy()
    fired.data = (values.data > levels[values.indices]).astype(np.float32)
    return fired


def _scores(fired: sparse.csr_matrix, said: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """F-score, precision and recall of each feature as a detector of each term, each [features, terms]."""
    both = np.asarray((fired.T @ said).todense(), dtype=np.float32)
    count = np.asarray(fired.sum(axis=0)).ravel()[:, None]
    held = np.asarray(said.sum(axis=0)).ravel()[None, :]
    weight = BETA**2
    score = (1 + weight) * both / np.maximum(count + weight * held, 1)
    return score, both / np.maximum(count, 1), both / np.maximum(held, 1)
