"""How well a dictionary's features stand for what captions say: what a dictionary can be chosen by without any trait.

For each thing that captions say of a place ("shark" of the head) the best detector among all features and some
thresholds is taken by its F1 on the training captions, and scored on held-out captions; the scores are averaged over
the things said of a place, and then over the places. Where captions speak of no place, things are the words and phrases
that they say often.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from swiggle.atlas.detectors import THRESHOLDS, firing
from swiggle.blocks import blocks
from swiggle.captions.terms import classes_of, incidence, mentioned_by
from swiggle.captions.vocabulary import Vocabulary

MIN_SAID = 10
"""Training captions, and held-out ones, that must say a thing for it to count."""


def caption_coverage(
    train: tuple[sparse.csr_matrix, Sequence[str | None]],
    held_out: tuple[sparse.csr_matrix, Sequence[str | None]],
    vocabulary: Vocabulary,
) -> float | None:
    """0 to 1; None where captions are missing or say nothing often enough. Each argument: activations CSR
    [N, features] and N captions."""
    said = [mentioned_by(captions, vocabulary) for _, captions in (train, held_out)]
    things = classes_of(said[0], MIN_SAID)
    if not things:
        return None
    placed = {thing for thing in things if thing.place is not None}
    truth = [incidence(mentioned, things, placed) for mentioned in said]
    counts = np.asarray(truth[1].sum(axis=0)).ravel()
    often = np.flatnonzero(counts >= MIN_SAID)
    if not len(often):
        return None
    highest = train[0].max(axis=0).toarray().ravel()
    train_said, held_out_said = (what[:, often] for what in truth)
    best, scores = np.full(len(often), -1.0), np.zeros(len(often))
    for share in THRESHOLDS:
        fired, fired_held_out = (firing(values, share * highest) for values, _ in (train, held_out))
        for some in blocks(len(often), len(highest)):
            winner, reached = _best(_f1(fired, train_said[:, some]))
            f1 = _f1(fired_held_out, held_out_said[:, some])
            scores[some] = np.where(reached > best[some], f1[winner, np.arange(len(winner))], scores[some])
            best[some] = np.maximum(best[some], reached)
    places: dict[str | None, list[float]] = {}
    for number, score in zip(often, scores, strict=True):
        places.setdefault(things[number].place, []).append(score)
    return float(np.mean([np.mean(found) for found in places.values()]))


def _best(f1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best feature for each thing said, and its score."""
    winner = f1.argmax(axis=0)
    return winner, f1[winner, np.arange(len(winner))]


def _f1(fired: sparse.csr_matrix, said: sparse.csr_matrix) -> np.ndarray:
    """[features, things said]."""
    hits = (fired.T @ said).toarray()
    totals = np.asarray(fired.sum(axis=0)).ravel()[:, None] + np.asarray(said.sum(axis=0)).ravel()
    return 2.0 * hits / np.maximum(totals, 1.0)
