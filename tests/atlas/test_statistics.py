from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy import sparse

from swiggle.atlas.activations import Activations, read_activations, to_table
from swiggle.atlas.layout import feature_map
from swiggle.atlas.statistics import feature_company, feature_statistics
from swiggle.config import AtlasConfig


def test_statistics_by_hand() -> None:
    values = np.array([[0, 2, 0], [4, 1, 0], [1, 3, 0], [0, 3, 0]], dtype=np.float32)
    found = feature_statistics(Activations(np.array([10, 11, 12, 13]), sparse.csr_matrix(values)), examples=3)
    np.testing.assert_allclose(found.density, [0.5, 1.0, 0.0])
    np.testing.assert_allclose(found.mean_activation, [2.5, 2.25, 0.0])
    np.testing.assert_allclose(found.max_activation, [4, 3, 0])
    np.testing.assert_array_equal(found.example_ids, [[11, 12, -1], [12, 13, 10], [-1, -1, -1]])
    np.testing.assert_array_equal(found.example_activations[1], [3, 3, 2])


def test_company_by_hand() -> None:
    values = np.array([[4, 0], [1, 5], [0, 7]], dtype=np.float32)
    latents = np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 3.0]], dtype=np.float32)
    # Feature 0 (mean 2.5) is strong in the first picture only, feature 1 (mean 6) in the last two.
    company = feature_company(sparse.csr_matrix(values), np.array([2.5, 6.0]), latents)
    np.testing.assert_allclose(company.levels, [[4, 0], [0.5, 6]])
    np.testing.assert_allclose(company.direction, [[0, -1], [0, 0.5]])


def test_sparse_rows_round_trip(tmp_path: Path, rng: np.random.Generator) -> None:
    dense = rng.random((7, 5)).astype(np.float32) * (rng.random((7, 5)) < 0.4)
    pq.write_table(to_table(np.array([5, 1, 9]), dense[:3]), tmp_path / "a.parquet")
    pq.write_table(to_table(np.array([2, 8, 0, 3]), dense[3:]), tmp_path / "b.parquet")
    found = read_activations(tmp_path, 5)
    np.testing.assert_array_equal(found.ids, [0, 1, 2, 3, 5, 8, 9])
    np.testing.assert_array_equal(found.values.toarray(), dense[[5, 1, 3, 6, 0, 4, 2]])


def test_the_map_is_repeatable_and_keeps_families_together(rng: np.random.Generator) -> None:
    centres = rng.normal(size=(3, 16))
    rows = np.repeat(centres, 20, axis=0) + 0.05 * rng.normal(size=(60, 16))
    positions = feature_map(rows, AtlasConfig(umap_neighbors=10))
    np.testing.assert_array_equal(positions, feature_map(rows, AtlasConfig(umap_neighbors=10)))
    assert positions.min() == 0.0
    assert positions.max() == 1.0
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=2) + 9 * np.eye(60)
    assert (distance.argmin(axis=1) // 20 == np.arange(60) // 20).all()
