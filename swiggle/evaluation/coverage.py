"""Coverage: does each trait value have a feature that fires on it and on nothing else?

For a trait value g and a feature i, "f_i exceeds t times its largest activation on train" predicts g. Feature and t
(0, 0.1, ... 0.9) are chosen by F1 on train and scored on test, for values with at least 20 pictures there, and averaged
over a slot's values (after Karvonen et al. 2024, who choose and score on the same data). A slot of two values may
keep one of them in the bias, so it is scored by balanced accuracy, firing or not firing. Trait columns are for
evaluation only.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.frequent_values import frequent_values

THRESHOLDS = np.arange(10) / 10
MIN_POSITIVES = 20
COVERED = 0.9
"""The F1 from which a value is called covered."""


@dataclass(frozen=True)
class Counts:
    """`hits` [features, values], `fired` [features], `positives` [values], of `total` pictures."""

    hits: np.ndarray
    fired: np.ndarray
    positives: np.ndarray
    total: int

    def f1(self) -> np.ndarray:
        """[features, values]."""
        return 2.0 * self.hits / np.maximum(self.fired[:, None] + self.positives, 1)

    def balanced_accuracy(self) -> np.ndarray:
        """[features, values], of firing or of not firing, whichever is better."""
        recall = self.hits / np.maximum(self.positives, 1)
        false = (self.fired[:, None] - self.hits) / np.maximum(self.total - self.positives, 1)
        return 0.5 + np.abs(recall - false) / 2.0


def one_hot(values: np.ndarray, count: int) -> sparse.csr_matrix:
    """int [N] to boolean [N, count] as float32."""
    return sparse.csr_matrix(
        (np.ones(len(values), np.float32), (np.arange(len(values)), values)), shape=(len(values), count)
    )


def fires(activations: sparse.csr_matrix, limits: np.ndarray) -> sparse.csr_matrix:
    """Where activations [N, features] exceed a limit a feature [features], as 1.0."""
    result = activations.copy()
    result.data = (activations.data > limits[activations.indices]).astype(np.float32)
    result.eliminate_zeros()
    return result


def counts(fired: sparse.csr_matrix, truth: sparse.csr_matrix) -> Counts:
    hits = (fired.T @ truth).toarray()
    totals = np.asarray(fired.sum(axis=0)).ravel()
    return Counts(hits, totals, np.asarray(truth.sum(axis=0)).ravel(), fired.shape[0])


def coverage(
    train: sparse.csr_matrix,
    train_traits: np.ndarray,
    test: sparse.csr_matrix,
    test_traits: np.ndarray,
    composition: Composition,
) -> dict[str, dict[str, float]]:
    """For each slot `coverage`, the mean over its values, `covered`, the share at 0.9 or more, and `frequent`, the mean
    over the values that at least a hundredth of the test pictures have; NaN where no value is common enough in test.

    train, test: activations [N, features], not negative; traits int [N, slots].
    """
    highest = train.max(axis=0).toarray().ravel()
    fired = [(fires(train, t * highest), fires(test, t * highest)) for t in THRESHOLDS]
    result = {}
    for column, slot in enumerate(composition.slots):
        values = len(composition.names(slot))
        truth = one_hot(train_traits[:, column], values), one_hot(test_traits[:, column], values)
        best, scores = np.full(values, -1.0), np.zeros(values)
        for on_train, on_test in fired:
            chosen, scored = counts(on_train, truth[0]), counts(on_test, truth[1])
            quality, held_out = (c.f1() if values > 2 else c.balanced_accuracy() for c in (chosen, scored))
            winner = quality.argmax(axis=0)
            better = quality[winner, np.arange(values)] > best
            best = np.maximum(best, quality[winner, np.arange(values)])
            scores[better] = held_out[winner, np.arange(values)][better]
        common = np.asarray(truth[1].sum(axis=0)).ravel() >= MIN_POSITIVES
        known = scores[common] if common.any() else np.array([np.nan])
        frequent = common & frequent_values(composition, slot, test_traits)
        result[slot] = {
            "coverage": float(known.mean()),
            "covered": float((known >= COVERED).mean()) if common.any() else float("nan"),
            "frequent": float(scores[frequent].mean()) if frequent.any() else float("nan"),
        }
    return result
