"""Which features are near each other: in latent space, and in the pictures they fire on."""

import numpy as np


def nearest_rows(rows: np.ndarray, live: np.ndarray, count: int) -> list[list[int]]:
    """For each feature the `count` live others whose decoder rows [features, latent_dim], of unit length, have the
    largest cosine with its own, nearest first."""
    return _largest(rows @ rows.T, live, count, least=-np.inf)


def nearest_cofiring(together: np.ndarray, count: int) -> list[list[int]]:
    """For each feature the `count` others that fire on the same pictures, by Jaccard's index: pictures in which both
    fire over those in which one does; only such as fire together at all. `together` [i, j] counts the former, and on
    its diagonal how often each fires."""
    fired = np.diagonal(together)
    either = np.maximum(fired[:, None] + fired[None, :] - together, 1.0)
    return _largest(together / either, fired > 0, count, least=0.0)


def _largest(score: np.ndarray, live: np.ndarray, count: int, least: float) -> list[list[int]]:
    score = np.where(live[None, :], score, -np.inf)
    np.fill_diagonal(score, -np.inf)
    order = np.argsort(-score, axis=1, kind="stable")[:, :count]
    return [[int(j) for j in row if score[i, j] > least] for i, row in enumerate(order)]
