"""Dictionaries of many features: nothing that is worked out of them takes features x features of captioned."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from scipy import sparse

from swiggle.atlas.activations import Activations, activations_of
from swiggle.atlas.atlas import ARRAYS, Atlas, write_arrays
from swiggle.atlas.caption_coverage import caption_coverage
from swiggle.atlas.caption_labels import label_features
from swiggle.atlas.captioned_latents import captioned_latents
from swiggle.atlas.detectors import CaptionedActivations
from swiggle.atlas.layout import FeatureMap
from swiggle.atlas.neighbours import nearest_cofiring, nearest_rows
from swiggle.atlas.statistics import CoActivation, Summary
from swiggle.captions.vocabulary import Vocabulary
from swiggle.config import SAEConfig
from swiggle.sae.metrics import dictionary_metrics
from swiggle.sae.model import SparseAutoencoder
from tests.wide_bundle import wide_bundle

FEATURES, PICTURES, ACTIVE = 65_536, 2_000, 16
MEGABYTE = 2**20
VOCABULARY = Vocabulary(places={"head": ["head"], "body": ["shirt"]}, filler=frozenset({"a", "with"}))


def peak(work: Callable[[], Any]) -> tuple[Any, float]:
    """What work gives, and by how many megabytes captioned of NumPy and Python grew meanwhile at most."""
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


def drawn(features: int, pictures: int = PICTURES, seed: int = 0) -> Activations:
    """A few features of many are active in each picture, the first of them in half."""
    rng = np.random.default_rng(seed)
    columns = np.sort(rng.integers(features, size=(pictures, ACTIVE)), axis=1)
    rows = np.repeat(np.arange(pictures), ACTIVE)
    values = sparse.csr_matrix(
        (rng.uniform(0.1, 1.0, rows.size).astype(np.float32), (rows, columns.ravel())), shape=(pictures, features)
    )
    often = sparse.csr_matrix((rng.random((pictures, 1)) < 0.5).astype(np.float32) @ np.eye(1, 1, dtype=np.float32))
    return Activations(np.arange(pictures) + seed * pictures, sparse.hstack([often, values[:, 1:]]).tocsr())


def test_statistics_of_65536_features() -> None:
    one, other = drawn(FEATURES), drawn(FEATURES, seed=1)
    latents = np.random.default_rng(2).normal(size=(PICTURES, 16)).astype(np.float32)

    def first() -> Summary:
        return Summary.of(one, 9, 200).merge(Summary.of(other, 9, 200))

    summary, megabytes = peak(first)
    assert megabytes < 120
    statistics, megabytes = peak(lambda: summary.statistics(5))
    assert megabytes < 120
    assert statistics.example_ids.shape == (FEATURES, 9)
    levels = statistics.mean_activation, statistics.max_activation

    def second() -> CoActivation:
        return CoActivation.of(one.values, latents, *levels).merge(CoActivation.of(other.values, latents, *levels))

    coactivation, megabytes = peak(second)
    assert megabytes < 300
    near, megabytes = peak(lambda: nearest_cofiring(coactivation.cofiring, 8))
    assert megabytes < 100
    assert len(near) == FEATURES
    assert all(0 in some for some in near[1:] if len(some) < 8 and len(some) > 0) or len(near[0]) == 8


def test_sparse_company_is_what_the_dense_products_say() -> None:
    some = drawn(60, 300)
    latents = np.random.default_rng(2).normal(size=(300, 4)).astype(np.float32)
    statistics = Summary.of(some, 9, 200).statistics(5)
    coactivation = CoActivation.of(some.values, latents, statistics.mean_activation, statistics.max_activation)
    dense = some.values.toarray()
    strong = ((dense > 0) & (dense >= 0.5 * statistics.mean_activation)).astype(np.float32)
    assert sparse.issparse(coactivation.cofiring)
    np.testing.assert_array_equal(coactivation.cofiring.toarray(), (dense > 0).T.astype(np.float32) @ (dense > 0))
    expected = strong.T @ dense / np.maximum(strong.sum(axis=0), 1)[:, None]
    np.testing.assert_allclose(coactivation.mean_coactivation().toarray(), expected, rtol=1e-5)
    together = coactivation.cofiring.toarray()
    fired = np.diagonal(together)
    score = together / np.maximum(fired[:, None] + fired[None, :] - together, 1.0)
    np.fill_diagonal(score, -1.0)
    order = np.argsort(-score, axis=1, kind="stable")[:, :5]
    assert nearest_cofiring(coactivation.cofiring, 5) == [
        [int(j) for j in row if score[i, j] > 0] for i, row in enumerate(order)
    ]


def test_neighbours_and_places_on_the_map_in_blocks() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(5_000, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    live = rng.random(5_000) < 0.8
    near, megabytes = peak(lambda: nearest_rows(rows, live, 4))
    assert megabytes < 120
    for i in (0, 2_321, 4_999):
        cosine = np.where(live, rows @ rows[i], -np.inf)
        cosine[i] = -np.inf
        assert near[i] == np.argsort(-cosine, kind="stable")[:4].tolist()
    laid_out = FeatureMap(rows, rng.random((5_000, 2)).astype(np.float32), 15)
    placed, megabytes = peak(lambda: laid_out.place(rows[:3_000]))
    assert megabytes < 250
    np.testing.assert_allclose(placed[2_990:], laid_out.place(rows[2_990:3_000]), atol=1e-6)


def spoken(count: int, words: int, seed: int) -> list[str | None]:
    rng = np.random.default_rng(seed)
    return [f"a w{a}x w{b}y head with a w{c}z shirt" for a, b, c in rng.integers(words, size=(count, 3))]


def test_labels_and_coverage_and_term_shares_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    splits = [
        CaptionedActivations(drawn(80, count, seed).values, spoken(count, 6, seed))
        for seed, count in enumerate((900, 300, 300))
    ]
    highest = splits[0].values.max(axis=0).toarray().ravel()
    pairs = [(split.values, split.captions) for split in splits[:2]]
    latents = np.random.default_rng(0).normal(size=(900, 8)).astype(np.float32)

    def found() -> tuple:
        labels = label_features(
            splits, highest, np.zeros((80, 4, 4)), [None] * 40 + ["head", "body"] * 20, VOCABULARY, 0.0
        )
        captioned = captioned_latents(latents, splits[0].captions, splits[0].values, np.ones(80), [], VOCABULARY)
        return labels, caption_coverage(*pairs, VOCABULARY), captioned.term_share.tobytes()

    whole = found()
    assert sum(label.source == "caption" for label in whole[0]) > 5
    monkeypatch.setattr("swiggle.blocks.CELLS", 500)
    assert found() == whole


def test_coverage_and_term_shares_of_many_features_and_terms() -> None:
    rare = [(drawn(20_000, 600, seed).values, spoken(600, 900, seed)) for seed in range(2)]
    score, megabytes = peak(lambda: caption_coverage(*rare, VOCABULARY))
    assert score is None  # nothing is said often enough, and nothing multiplied
    assert megabytes < 50
    common = [(drawn(20_000, 900, seed).values, spoken(900, 12, seed)) for seed in range(2)]
    score, megabytes = peak(lambda: caption_coverage(*common, VOCABULARY))
    assert score is not None
    assert megabytes < 250
    values, captions = drawn(40_000, 900).values, spoken(900, 30, 0)
    latents = np.random.default_rng(0).normal(size=(900, 8)).astype(np.float32)
    captioned, megabytes = peak(lambda: captioned_latents(latents, captions, values, np.ones(40_000), [], VOCABULARY))
    assert megabytes < 2 * captioned.term_share.nbytes / MEGABYTE + 100


def test_activations_of_wide_dictionaries_come_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    sae = SparseAutoencoder(SAEConfig(objective="topk", k=4, features=FEATURES, latent_dim=4)).eval()
    seen: list[int] = []
    encode = SparseAutoencoder.encode

    def counted(self: SparseAutoencoder, latents: torch.Tensor) -> torch.Tensor:
        seen.append(len(latents))
        return encode(self, latents)

    monkeypatch.setattr(SparseAutoencoder, "encode", counted)
    latents = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    assert activations_of(sae, latents).shape == (300, FEATURES)
    assert dictionary_metrics(sae, torch.from_numpy(latents))["l0"] <= 4
    assert max(seen) * FEATURES <= 4_096 * 2_048
    assert sum(seen) == 600


def test_arrays_of_wide_dictionaries_stay_small_and_narrow_ones_as_they_were(tmp_path: Path) -> None:
    levels = drawn(60, 300).values.T @ drawn(60, 300).values
    mean = np.linspace(0.5, 2.0, 60).astype(np.float32)
    direction, footprint = np.ones((60, 4), np.float32), np.ones((60, 32, 32), np.float32)
    write_arrays(tmp_path, levels.tocsr(), direction, footprint, mean)
    stored = load_file(tmp_path / ARRAYS)
    assert stored.keys() == {"coactivation", "direction", "footprint"}
    np.testing.assert_array_equal(stored["coactivation"], levels.toarray().astype(np.float16))

    wide = wide_bundle(tmp_path / "wide", 3_000)
    assert "coactivation" not in load_file(wide / "atlas" / ARRAYS)
    atlas = Atlas.load(wide / "atlas")
    ids, found = atlas.coactive_with(2_999)
    assert len(ids) == len(found) <= 64
    # A bundle that was made with all levels says the same of each feature's strongest company.
    arrays = load_file(wide / "atlas" / ARRAYS)
    kept = {name: arrays.pop(name) for name in ("coactivation_ids", "coactivation_values")}
    dense = np.zeros((3_000, 3_000), np.float16)
    for i in range(3_000):
        there = kept["coactivation_ids"][i] >= 0
        dense[i, kept["coactivation_ids"][i][there]] = kept["coactivation_values"][i][there]
    save_file({**arrays, "levels": dense}, wide / "atlas" / ARRAYS)
    old = Atlas.load(wide / "atlas")
    for i in (0, 17, 2_999):
        before, after = dict(zip(*old.coactive_with(i), strict=True)), dict(zip(*atlas.coactive_with(i), strict=True))
        assert {k: v for k, v in before.items() if v > 0} == {k: v for k, v in after.items() if v > 0}
