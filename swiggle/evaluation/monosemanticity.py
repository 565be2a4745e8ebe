"""Monosemanticity: how alike the pictures are that a feature fires on, by their traits.

For a feature with activations a and a slot with values v, the activation-weighted share of pairs of pictures that have
the same value (the MS score of Pach et al. 2025 with true traits for its similarity):

    MS = (sum_v (sum_n a_n g_nv)^2 - sum_n a_n^2) / ((sum_n a_n)^2 - sum_n a_n^2)

which needs no pair. By chance it is the same of equal activations, sum_v p_v^2; a feature's score is its best slot's,
as a share of the way from chance to 1. Trait columns are for evaluation only.
"""

import numpy as np
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.coverage import one_hot

FIRES = 10


def monosemanticity(activations: sparse.csr_matrix, traits: np.ndarray, composition: Composition) -> np.ndarray:
    """float64 [features], 0 to 1, NaN for features that fire less than ten times. activations [N, features], traits
    int [N, slots]."""
    total = np.asarray(activations.sum(axis=0)).ravel().astype(np.float64)
    squares = np.asarray(activations.multiply(activations).sum(axis=0)).ravel().astype(np.float64)
    fired = np.diff(activations.tocsc().indptr)
    scores = []
    for column, slot in enumerate(composition.slots):
        truth = one_hot(traits[:, column], len(composition.names(slot)))
        by_value = (activations.T @ truth).toarray().astype(np.float64)
        alike = (np.square(by_value).sum(axis=1) - squares) / np.maximum(np.square(total) - squares, 1e-12)
        chance = np.square(np.asarray(truth.mean(axis=0)).ravel()).sum()
        scores.append((alike - chance) / (1.0 - chance))
    best = np.max(scores, axis=0)
    return np.where(fired >= FIRES, best, np.nan)
