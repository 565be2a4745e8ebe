"""Expressing a move in latent space through features.

Given a wished-for move d of a latent with activations f, find the change of the activations that makes it:

    minimise ||delta W_dec - d||^2   with   f + delta >= 0   and at most `limit` features raised

Only features that are active may be lowered, and no further than to zero. The problem is a least squares with bounds on
a hundred or so features, solved on its Gram matrix by accelerated projected gradients (FISTA: Beck and Teboulle, 2009)
that start over whenever they overshoot (O'Donoghue and Candes, arXiv 1204.3982).
"""

import math

import numpy as np

CANDIDATES = 96
_SMALLEST = 1e-3
_STILL = 1e-4
"""How little every activation must change in a step for the last of them."""
_MOST_STEPS = 500
_LOOK_EVERY = 10
"""Steps from one look at how little they change to the next."""


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
    gram = (rows[columns] @ rows[columns].T).astype(np.float64)
    pull = (rows[columns] @ move).astype(np.float64)
    low, may_rise = -activations[columns].astype(np.float64), may_rise[columns]
    step = 1.0 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-12)
    change = _bounded_least_squares(gram, pull, low, np.where(may_rise, np.inf, 0.0), step, np.zeros(len(columns)))

    # Keep the features that rise most, then let the others make up for those left out.
    raised = np.zeros(len(columns), bool)
    raised[np.argsort(-change, kind="stable")[:limit]] = True
    raised &= change > _SMALLEST
    kept = np.flatnonzero((low < 0) | raised)
    high = np.where(raised, np.inf, 0.0)[kept]
    gram = gram[np.ix_(kept, kept)]
    change = _bounded_least_squares(gram, pull[kept], low[kept], high, step, np.minimum(change[kept], high))

    delta = np.zeros(len(activations), dtype=np.float32)
    delta[columns[kept]] = np.where(np.abs(change) > _SMALLEST, change, 0.0)
    return delta


def _bounded_least_squares(
    gram: np.ndarray, pull: np.ndarray, low: np.ndarray, high: np.ndarray, step: float, start: np.ndarray
) -> np.ndarray:
    """argmin x gram x / 2 - pull x with low <= x <= high, from `start` [n]; gram [n, n], the rest [n].

    step: at most one over the largest eigenvalue of the Gram matrix, or of one that it is a part of.
    """
    # A step of the gradient is keep @ x + pull: one matrix product and one sum, for a call is what each of them costs.
    keep, pull = np.eye(len(gram)) - step * gram, step * pull
    x, ahead, new, t = start.copy(), start.copy(), np.empty_like(start), 1.0
    for number in range(1, _MOST_STEPS + 1):
        np.dot(keep, ahead, out=new)
        np.add(new, pull, out=new)
        np.maximum(new, low, out=new)  # np.clip takes several times as long on so few numbers
        np.minimum(new, high, out=new)
        moved = np.subtract(new, x, out=x)
        if number % _LOOK_EVERY == 0 and np.abs(moved).max(initial=0.0) < _STILL:
            return new
        if np.dot(np.subtract(ahead, new, out=ahead), moved) > 0:  # uphill: the momentum has carried too far
            t = 1.0
        following = (1.0 + math.sqrt(1.0 + 4.0 * t**2)) / 2.0
        np.multiply(moved, (t - 1.0) / following, out=ahead)
        np.add(ahead, new, out=ahead)
        x, new, t = new, x, following
    return x
