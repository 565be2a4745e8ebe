"""Expressing a move in latent space through features.

Given a wished-for move d of a latent with activations f, find the change of the activations that makes it:

    minimise ||delta W_dec - d||^2   with   f + delta >= 0   and at most `limit` features raised

Only features that are active may be lowered, and no further than to zero. The problem is a least squares with bounds on
a hundred or so features, solved on its Gram matrix by SciPy's L-BFGS-B (Byrd et al. 1995).
"""

import numpy as np
from scipy.optimize import Bounds, minimize

CANDIDATES = 96
"""Features that may be raised beyond the active ones, those that point most along the move. Fewer and more were worse
by about one edit in a hundred (docs/editing.md)."""
_SEEN = 1e-3
"""The least change of an activation, a length in latent space, that is worth an operation."""


def fit_move(move: np.ndarray, activations: np.ndarray, rows: np.ndarray, usable: np.ndarray, limit: int) -> np.ndarray:
    """The change of activations float32 [features].

    move: [latent_dim]; activations: [features]; rows: decoder rows of unit norm [features, latent_dim]; usable: bool
    [features], which features may be raised beyond those already active; limit: how many may be raised.
    """
    candidates = np.flatnonzero(usable)
    candidates = candidates[np.argsort(-(rows @ move)[candidates], kind="stable")[:CANDIDATES]]
    may_rise = np.zeros(len(activations), bool)
    may_rise[candidates] = True
    columns = np.flatnonzero((activations > 0) | may_rise)
    change = _bounded_least_squares(rows[columns], move, -activations[columns], may_rise[columns])

    # Keep the features that rise most, then let the others make up for those left out.
    raised = np.zeros(len(columns), bool)
    raised[np.argsort(-change, kind="stable")[:limit]] = True
    raised &= change > _SEEN
    kept = np.flatnonzero((activations[columns] > 0) | raised)
    change = _bounded_least_squares(rows[columns[kept]], move, -activations[columns[kept]], raised[kept])

    delta = np.zeros(len(activations), dtype=np.float32)
    delta[columns[kept]] = np.where(np.abs(change) > _SEEN, change, 0.0)
    return delta


def _bounded_least_squares(rows: np.ndarray, move: np.ndarray, low: np.ndarray, may_rise: np.ndarray) -> np.ndarray:
    """argmin ||x rows - move||^2 with x >= low and, but where it may rise, x <= 0: float64 [n]. rows: [n, latent_dim];
    low, not above 0, and may_rise, bool: [n]."""
    gram, pull = (rows @ rows.T).astype(np.float64), (rows @ move).astype(np.float64)

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        product = gram @ x
        return 0.5 * x @ product - pull @ x, product - pull

    bounds = Bounds(low.astype(np.float64), np.where(may_rise, np.inf, 0.0))
    return minimize(loss, np.zeros(len(rows)), jac=True, method="L-BFGS-B", bounds=bounds).x
