"""Which features are near each other: in latent space, and in the pictures they fire on."""

import numpy as np
from scipy import sparse

from swiggle.blocks import blocks

_CELLS = 2**22
"""Cosines that are looked at together: all of a dictionary of 2,048 features."""


def nearest_rows(rows: np.ndarray, live: np.ndarray, count: int) -> list[list[int]]:
    """For each feature the `count` live others whose decoder rows [features, latent_dim], of unit length, have the
    largest cosine with its own, nearest first."""
    found: list[list[int]] = []
    for some in blocks(len(rows), len(rows), _CELLS):
        cosines = np.where(live[None, :], rows[some] @ rows.T, -np.inf)
        own = np.arange(some.start, some.stop)
        cosines[own - some.start, own] = -np.inf
        found += [_largest(row, count) for row in cosines]
    return found


def nearest_cofiring(together: sparse.csr_matrix, count: int) -> list[list[int]]:
    """For each feature the `count` others that fire on the same pictures, by Jaccard's index: pictures in which both
    fire over those in which one does; only such as fire together at all. `together` [i, j], CSR with ascending columns,
    counts the former, and on its diagonal how often each fires."""
    fired = together.diagonal()
    found = []
    for i in range(len(fired)):
        stored = slice(together.indptr[i], together.indptr[i + 1])
        others, both = together.indices[stored], together.data[stored]
        score = both / np.maximum(fired[i] + fired[others] - both, 1.0)
        score = np.where((others != i) & (score > 0), score, -np.inf)
        found.append(others[_largest(score, count)].tolist())
    return found


def _largest(score: np.ndarray, count: int) -> list[int]:
    """Places of the `count` largest finite scores [n], largest first, of equal ones the first."""
    if count < 1:
        return []
    least = np.partition(score, -count)[-count] if len(score) > count else -np.inf
    among = np.flatnonzero((score >= least) & (score > -np.inf))
    return among[np.argsort(-score[among], kind="stable")[:count]].tolist()
