"""Expressing a move in latent space through features.

Given a wished-for move d of a latent with activations f, find the change of the activations that makes it:

    minimise ||delta W_dec - d||^2   with   f + delta >= 0   and at most `limit` features raised

Only features that are active may be lowered, and no further than to zero. The problem is a least squares with bounds on
a hundred or so features, solved by accelerated projected gradients (FISTA: Beck and Teboulle, 2009) on its Gram matrix.
The steps are too few to reach the minimum: their number belongs to the answer, and so does the size of a step.
"""

import math

import numpy as np

CANDIDATES = 96
_SMALLEST = 1e-3


def fit_move(move: np.ndarray, activations: np.ndarray, rows: np.ndarray, usable: np.ndarray, limit: int) -> np.ndarray:
    """The change of activations float32 [features].

    move: [latent_dim]; activations: [features]; rows: decoder rows of unit norm [features, latent_dim]; usable: bool
    [features], which features may be raised beyond those already active; limit: how many may be raised.
    """
    active = activations > 0
    raised = np.flatnonzero(usable)
    raised = raised[np.argsort(-(rows @ move)[raised], kind="stable")[:CANDIDATES]]
    for _ in range(2):
        may_rise = np.zeros(len(activations), bool)
        may_rise[raised] = True
        columns = np.flatnonzero(active | may_rise)
        upper = np.where(may_rise[columns], np.inf, 0.0)
        change = _bounded_least_squares(rows[columns], move, -activations[columns], upper)
        # Keep the features that rise most, then let the others make up for those left out.
        order = np.argsort(-change, kind="stable")
        raised = columns[[i for i in order[:limit] if change[i] > _SMALLEST]]
    delta = np.zeros(len(activations), dtype=np.float32)
    delta[columns] = np.where(np.abs(change) > _SMALLEST, change, 0.0)
    return delta


def _bounded_least_squares(rows: np.ndarray, target: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """argmin ||x rows - target||^2 with low <= x <= high; rows [n, dim], the rest [n] and [dim]."""
    gram = (rows @ rows.T).astype(np.float64)
    step = 1.0 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-12)
    # A step of the gradient is kept @ x + pull: one matrix product and one sum, for a call is what each of them costs.
    kept = np.eye(len(rows)) - step * gram
    pull = step * (rows @ target).astype(np.float64)
    x = np.clip(np.zeros(len(rows)), low, high)
    ahead, new = x.copy(), np.empty_like(x)
    for factor in _MOMENTUM:
        np.dot(kept, ahead, new)
        np.add(new, pull, new)
        np.maximum(new, low, new)  # np.clip takes several times as long on so few numbers
        np.minimum(new, high, new)
        np.subtract(new, x, ahead)
        np.multiply(ahead, factor, ahead)
        np.add(ahead, new, ahead)
        x, new = new, x
    return x


def _momentum(steps: int) -> list[float]:
    """How far each step of FISTA looks ahead: (t - 1) / t', with t' = (1 + sqrt(1 + 4 t^2)) / 2 from t = 1."""
    factors, t = [], 1.0
    for _ in range(steps):
        following = (1.0 + math.sqrt(1.0 + 4.0 * t**2)) / 2.0
        factors.append((t - 1.0) / following)
        t = following
    return factors


_MOMENTUM = _momentum(250)
