"""Feature uniqueness: do several features stand for the same trait value?

Of the features that predict some value by firing with an F1 of at least 0.5, the number of different values that are
a feature's best, as a share of the features. 1 means no two features compete for a value. Evaluation only.
"""

import numpy as np
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.coverage import counts, fires, one_hot

PREDICTIVE = 0.5


def uniqueness(activations: sparse.csr_matrix, traits: np.ndarray, composition: Composition) -> float:
    """activations [N, features], traits int [N, slots]; NaN where no feature predicts anything."""
    fired = fires(activations, np.zeros(activations.shape[1]))
    slots = [one_hot(traits[:, column], len(composition.names(slot))) for column, slot in enumerate(composition.slots)]
    f1 = counts(fired, sparse.hstack(slots).tocsr()).f1()
    best = f1.argmax(axis=1)[f1.max(axis=1) >= PREDICTIVE]
    return len(np.unique(best)) / len(best) if len(best) else float("nan")
