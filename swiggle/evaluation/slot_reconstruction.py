"""Reading a character from the labels of its features alone (after board reconstruction, Karvonen et al. 2024).

On train every feature gets each trait value it predicts by firing with a precision of at least 0.95, if it fires at
least ten times. On test a slot is read as the value with the highest precision among the features that fire; where
none does it is left open. Trait columns are for evaluation only.
"""

import numpy as np
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.coverage import counts, fires, one_hot

PRECISION = 0.95
FIRES = 10


def slot_reconstruction(
    train: sparse.csr_matrix,
    train_traits: np.ndarray,
    test: sparse.csr_matrix,
    test_traits: np.ndarray,
    composition: Composition,
) -> dict[str, dict[str, float]]:
    """For each slot `precision` of what was read, `recall` over all pictures, `f1` of the two, `open`; and under
    `all`, `correct`, the share of pictures with every slot right. Activations [N, features], traits int [N, slots]."""
    nowhere = np.zeros(train.shape[1])
    on_train, on_test = fires(train, nowhere), fires(test, nowhere)
    all_correct = np.ones(len(test_traits), dtype=bool)
    result: dict[str, dict[str, float]] = {}
    for column, slot in enumerate(composition.slots):
        seen = counts(on_train, one_hot(train_traits[:, column], len(composition.names(slot))))
        precision = seen.hits / np.maximum(seen.fired[:, None], 1)
        precision[(precision < PRECISION) | (seen.fired[:, None] < FIRES)] = 0.0
        value, worth = precision.argmax(axis=1), precision.max(axis=1)
        # The feature of the highest worth among those that fire in a row.
        voted = sparse.csr_matrix((worth[on_test.indices], on_test.indices, on_test.indptr), shape=on_test.shape)
        best = np.asarray(voted.argmax(axis=1)).ravel()
        read = voted.max(axis=1).toarray().ravel() > 0
        right = read & (value[best] == test_traits[:, column])
        all_correct &= right
        exact, found = right.sum() / max(read.sum(), 1), right.mean()
        result[slot] = {
            "precision": float(exact),
            "recall": float(found),
            "f1": float(2 * exact * found / max(exact + found, 1e-12)),
            "open": float(1 - read.mean()),
        }
    result["all"] = {"correct": float(all_correct.mean())}
    return result
