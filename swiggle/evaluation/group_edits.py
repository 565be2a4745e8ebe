"""How well a dictionary can edit when it is told which features to use: its editability, apart from any label.

To turn one trait value into another, the features whose mean activation differs most between pictures of the two move
by that difference, at most `GROUP` of them. The groups are found by true traits, so this is an evaluation, never an
edit.
"""

import numpy as np
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.coverage import one_hot

GROUP = 16


def value_means(activations: sparse.csr_matrix, traits: np.ndarray, slot: str, composition: Composition) -> np.ndarray:
    """Mean activation of each feature on pictures of each value of a slot: [values, features]."""
    truth = one_hot(traits[:, composition.slots.index(slot)], len(composition.names(slot)))
    count = np.maximum(np.asarray(truth.sum(axis=0)).ravel(), 1.0)
    return (truth.T @ activations).toarray() / count[:, None]


def group_moves(means: np.ndarray, decoder_rows: np.ndarray, worn: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Latent moves [n, latent_dim] from values `worn` [n] to `asked` [n]."""
    difference = means[asked] - means[worn]
    last = min(GROUP, difference.shape[1]) - 1
    weakest = -np.sort(-np.abs(difference), axis=1)[:, [last]]
    return np.where(np.abs(difference) >= weakest, difference, 0.0) @ decoder_rows
