import numpy as np
from scipy.optimize import lsq_linear

from swiggle.editing.fit import _bounded_least_squares, fit_move


def unit_rows(rng: np.random.Generator, count: int, dim: int) -> np.ndarray:
    rows = rng.normal(size=(count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_move_made_of_features_is_found_again(rng: np.random.Generator) -> None:
    rows = unit_rows(rng, 200, 64)
    activations = np.zeros(200, np.float32)
    activations[[5, 6, 7]] = 1.0
    wished = np.zeros(200, np.float32)
    wished[5], wished[[30, 40]] = -1.0, [2.0, 1.5]
    delta = fit_move(wished @ rows, activations, rows, np.ones(200, bool), limit=32)
    np.testing.assert_allclose(delta, wished, atol=0.02)


def test_bounds_and_limit_are_kept(rng: np.random.Generator) -> None:
    rows = unit_rows(rng, 300, 32)
    activations = (rng.random(300) < 0.1).astype(np.float32) * 0.3
    usable = np.arange(300) >= 100
    delta = fit_move(5 * rng.normal(size=32), activations, rows, usable, limit=8)
    assert (activations + delta >= -1e-6).all()
    assert (delta > 0).sum() <= 8
    assert not delta[~usable & (activations == 0)].any()


def test_only_usable_features_are_raised_however_few_they_are(rng: np.random.Generator) -> None:
    rows, usable = unit_rows(rng, 50, 32), np.arange(50) < 5
    delta = fit_move(5 * rng.normal(size=32), np.zeros(50, np.float32), rows, usable, limit=8)
    assert delta[:5].any()
    assert not delta[5:].any()


def test_the_least_squares_is_the_best_that_there_is(rng: np.random.Generator) -> None:
    """Beside an active-set method (Stark and Parker 1995), which is exact and slow."""
    rows, target = unit_rows(rng, 20, 32).astype(float), rng.normal(size=32)
    low, may_rise = -rng.random(20), rng.random(20) < 0.5
    exact = lsq_linear(rows.T, target, bounds=(low, np.where(may_rise, np.inf, 0.0)), method="bvls").x
    np.testing.assert_allclose(_bounded_least_squares(rows, target, low, may_rise), exact, atol=1e-3)
