"""How well a dictionary's features stand for what captions say: what a dictionary can be chosen by without any trait.

For each thing that captions say of a place ("shark" of the head) the best detector among all features and three
thresholds is taken by its F1 on the training captions, and scored on held-out captions; the scores are averaged over
the things said of a place, and then over the places.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from swiggle.atlas.labels import THRESHOLDS, firing, incidence
from swiggle.vocabulary import Mention, Vocabulary

MIN_SAID = 10
"""Held-out captions that must say a thing for it to count."""


def caption_coverage(
    train: tuple[sparse.csr_matrix, Sequence[str | None]],
    held_out: tuple[sparse.csr_matrix, Sequence[str | None]],
    vocabulary: Vocabulary,
) -> float | None:
    """0 to 1; None where captions are missing or say nothing often enough. Each argument: activations CSR
    [N, features] and N captions."""
    said = [[set(vocabulary.mentions(caption or "")) for caption in captions] for _, captions in (train, held_out)]
    column = {mention: number for number, mention in enumerate(sorted(set().union(*said[0]), key=_order))}
    truth = [incidence(found, column) for found in said]
    counts = np.asarray(truth[1].sum(axis=0)).ravel()
    if not (counts >= MIN_SAID).any():
        return None
    highest = train[0].max(axis=0).toarray().ravel()
    best, scores = np.full(len(column), -1.0), np.zeros(len(column))
    for share in THRESHOLDS:
        f1, f1_held_out = (
            _f1(firing(values, share * highest), what)
            for (values, _), what in zip((train, held_out), truth, strict=True)
        )
        winner = f1.argmax(axis=0)
        reached = f1[winner, np.arange(len(column))]
        scores = np.where(reached > best, f1_held_out[winner, np.arange(len(column))], scores)
        best = np.maximum(best, reached)
    places: dict[str | None, list[float]] = {}
    for mention, number in column.items():
        if counts[number] >= MIN_SAID:
            places.setdefault(mention.place, []).append(scores[number])
    return float(np.mean([np.mean(found) for found in places.values()]))


def _order(mention: Mention) -> tuple[str, tuple[str, ...]]:
    return mention.place or "", mention.words


def _f1(fired: sparse.csr_matrix, said: sparse.csr_matrix) -> np.ndarray:
    """[features, things said]."""
    hits = (fired.T @ said).toarray()
    totals = np.asarray(fired.sum(axis=0)).ravel()[:, None] + np.asarray(said.sum(axis=0)).ravel()
    return 2.0 * hits / np.maximum(totals, 1.0)
