from pathlib import Path

import numpy as np
import pytest

from swiggle.atlas.groups import DEAD, MIXED, feature_groups
from swiggle.atlas.layout import FeatureMap, feature_map, feature_rows
from swiggle.config import AtlasConfig

CONFIG = AtlasConfig(umap_neighbors=10)


@pytest.fixture(scope="module")
def families() -> np.ndarray:
    """Sixty unit rows around three directions, in order."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(3, 16)), 20, axis=0) + 0.05 * rng.normal(size=(60, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def laid_out(families: np.ndarray) -> FeatureMap:
    return feature_map(families, CONFIG)


def test_the_map_is_repeatable_and_keeps_families_together(families: np.ndarray, laid_out: FeatureMap) -> None:
    positions = laid_out.positions
    np.testing.assert_array_equal(positions, feature_map(families, CONFIG).positions)
    assert positions.min() == 0.0
    assert positions.max() == 1.0
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=2) + 9 * np.eye(60)
    assert (distance.argmin(axis=1) // 20 == np.arange(60) // 20).all()


def test_a_later_feature_is_placed_among_its_family(families: np.ndarray, laid_out: FeatureMap, tmp_path: Path) -> None:
    laid_out.save(tmp_path)
    loaded = FeatureMap.load(tmp_path)
    rng = np.random.default_rng(1)
    new = families + 0.02 * rng.normal(size=families.shape).astype(np.float32)
    placed = loaded.place(new)
    np.testing.assert_array_equal(placed, laid_out.place(new))
    distance = np.linalg.norm(placed[:, None] - laid_out.positions[None], axis=2)
    assert (distance.argmin(axis=1) // 20 == np.arange(60) // 20).all()


def test_features_that_act_on_one_thing_are_near_whatever_their_footprints(rng: np.random.Generator) -> None:
    directions, footprints = rng.normal(size=(4, 16)), rng.random((4, 32, 32))
    acting = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], np.float32)
    rows = feature_rows(directions, footprints, acting)
    near = rows @ rows.T
    assert near[0, 1] > max(near[0, 2], near[0, 3], near[1, 2])
    assert np.isfinite(rows).all()
    assert feature_rows(directions, footprints, np.zeros((4, 0), np.float32)).shape == (4, 16 + 32 * 32)


def test_too_few_rows_lie_in_the_middle() -> None:
    assert (feature_map(np.eye(4, dtype=np.float32), CONFIG).positions == 0.5).all()


def test_groups_bear_the_name_of_the_place_that_most_act_on(laid_out: FeatureMap) -> None:
    places: list[str | None] = ["head"] * 12 + [None] * 8 + ["body"] * 20 + ["head", "body", "glasses"] * 6 + [None] * 2
    live = np.ones(60, bool)
    live[59] = False
    groups = feature_groups(laid_out.positions, live, places)
    assert groups[:20] == ["head"] * 20
    assert groups[20:40] == ["body"] * 20
    assert set(groups[40:59]) == {MIXED}
    assert groups[59] == DEAD


def test_without_places_groups_have_numbers(laid_out: FeatureMap) -> None:
    groups = feature_groups(laid_out.positions, np.ones(60, bool), [None] * 60)
    assert set(groups) == {"group 1", "group 2", "group 3"}
