from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from swiggle.atlas.activations import Activations, read_activations, to_table
from swiggle.atlas.neighbours import nearest_cofiring, nearest_rows
from swiggle.atlas.statistics import BINS, CoActivation, Kept, Summary


def drawn(rng: np.random.Generator, pictures: int, features: int) -> Activations:
    values = rng.random((pictures, features)).astype(np.float32) * (rng.random((pictures, features)) < 0.3)
    return Activations(rng.permutation(10 * pictures)[:pictures].astype(np.int64), sparse.csr_matrix(values))


def test_statistics_by_hand() -> None:
    values = np.array([[0, 2, 0], [4, 1, 0], [1, 3, 0], [0, 3, 0]], dtype=np.float32)
    summary = Summary.of(Activations(np.array([10, 11, 12, 13]), sparse.csr_matrix(values)), examples=3, sample=8)
    found = summary.statistics(quantiles=2)
    np.testing.assert_allclose(found.density, [0.5, 1.0, 0.0])
    np.testing.assert_allclose(found.mean_activation, [2.5, 2.25, 0.0])
    np.testing.assert_allclose(found.max_activation, [4, 3, 0])
    np.testing.assert_array_equal(found.example_ids, [[11, 12, -1], [12, 13, 10], [-1, -1, -1]])
    np.testing.assert_array_equal(found.example_activations[1], [3, 3, 2])
    np.testing.assert_array_equal(found.quantile_example_ids, [[11, 12], [13, 11], [-1, -1]])


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_any_way_of_parting_the_pictures_gives_the_same(rng: np.random.Generator, parts: int) -> None:
    whole = drawn(rng, 70, 6)
    latents = rng.normal(size=(70, 4)).astype(np.float32)
    order = np.array_split(rng.permutation(70), parts)
    cut = [Activations(whole.ids[rows], whole.values[rows]) for rows in order]
    expected = Summary.of(whole, 5, 10).statistics(4)
    found = reduce(Summary.merge, (Summary.of(part, 5, 10) for part in cut)).statistics(4)
    for name, value in vars(expected).items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-6, err_msg=name)

    levels = (expected.mean_activation, expected.max_activation)
    together = CoActivation.of(whole.values, latents, *levels)
    merged = reduce(
        CoActivation.merge,
        (CoActivation.of(part.values, latents[rows], *levels) for part, rows in zip(cut, order, strict=True)),
    )
    np.testing.assert_allclose(merged.mean_coactivation().toarray(), together.mean_coactivation().toarray(), rtol=1e-5)
    np.testing.assert_allclose(merged.direction(), together.direction(), atol=1e-5)
    np.testing.assert_array_equal(merged.cofiring.toarray(), together.cofiring.toarray())
    np.testing.assert_array_equal(merged.histogram, together.histogram)
    np.testing.assert_array_equal(merged.histogram.sum(axis=1), (whole.values.toarray() > 0).sum(axis=0))
    assert merged.histogram.shape == (6, BINS)


def test_no_pictures_change_nothing(rng: np.random.Generator) -> None:
    some = drawn(rng, 9, 3)
    none = Activations(some.ids[:0], some.values[:0])
    merged = Summary.of(none, 2, 4).merge(Summary.of(some, 2, 4)).statistics(2)
    for name, value in vars(Summary.of(some, 2, 4).statistics(2)).items():
        np.testing.assert_array_equal(getattr(merged, name), value, err_msg=name)


def test_a_sample_is_uniform_over_the_pictures_that_fire() -> None:
    ids = np.arange(20_000)
    rising = Activations(ids, sparse.csr_matrix(np.linspace(0.1, 1.0, len(ids), dtype=np.float32)[:, None]))
    found = Summary.of(rising, 3, 400).statistics(5).quantile_example_ids[0]
    np.testing.assert_allclose(found, len(ids) * np.array([0.9, 0.7, 0.5, 0.3, 0.1]), atol=0.08 * len(ids))


def test_equal_keys_go_by_id() -> None:
    kept = Kept.of(np.array([7, 3, 5]), sparse.csr_matrix(np.ones((3, 1), np.float32)), np.zeros(3), 2)
    assert kept.table(slice(None))[0].tolist() == [[3, 5]]


def test_company_by_hand() -> None:
    values = np.array([[4, 0], [1, 5], [0, 7]], dtype=np.float32)
    latents = np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 3.0]], dtype=np.float32)
    # Feature 0 (mean 2.5) is strong in the first picture only, feature 1 (mean 6) in the last two.
    coactivation = CoActivation.of(sparse.csr_matrix(values), latents, np.array([2.5, 6.0]), np.array([4.0, 7.0]))
    np.testing.assert_allclose(coactivation.mean_coactivation().toarray(), [[4, 0], [0.5, 6]])
    np.testing.assert_allclose(coactivation.direction(), [[0, -1], [0, 0.5]])
    np.testing.assert_array_equal(coactivation.cofiring.toarray(), [[2, 1], [1, 2]])
    assert np.flatnonzero(coactivation.histogram[0]).tolist() == [5, 19]


def test_neighbours_in_space_and_in_time() -> None:
    rows = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.8, 0.2]])
    assert nearest_rows(rows, np.array([True, True, True, False]), 2) == [[1, 2], [0, 2], [1, 0], [0, 1]]
    together = np.array([[10, 5, 0], [5, 5, 1], [0, 1, 100]])
    assert nearest_cofiring(sparse.csr_matrix(together), 3) == [[1], [0, 2], [1]]


def test_sparse_rows_round_trip(tmp_path: Path, rng: np.random.Generator) -> None:
    dense = rng.random((7, 5)).astype(np.float32) * (rng.random((7, 5)) < 0.4)
    pq.write_table(to_table(np.array([5, 1, 9]), sparse.csr_matrix(dense[:3])), tmp_path / "a.parquet")
    pq.write_table(to_table(np.array([2, 8, 0, 3]), sparse.csr_matrix(dense[3:])), tmp_path / "b.parquet")
    found = read_activations(tmp_path, 5)
    np.testing.assert_array_equal(found.ids, [0, 1, 2, 3, 5, 8, 9])
    np.testing.assert_array_equal(found.values.toarray(), dense[[5, 1, 3, 6, 0, 4, 2]])
    assert read_activations(tmp_path, 5, np.array([9, 1])).ids.tolist() == [1, 9]
