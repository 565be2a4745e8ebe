from pathlib import Path

import numpy as np
import pytest

from swiggle.atlas.hand_labels import HandLabelFile, LabelError
from swiggle.atlas.label_move import correlation, keep_labelled, labelled_folder, plan_move
from swiggle.manifest import dictionary_id


@pytest.fixture
def codes(rng: np.random.Generator) -> np.ndarray:
    """Activations [300, 6], sparse; feature 5 never fires."""
    codes = rng.random((300, 6)) * (rng.random((300, 6)) < 0.2)
    codes[:, 5] = 0
    return codes.astype(np.float32)


def test_correlation_is_pearsons(rng: np.random.Generator) -> None:
    one, other = rng.random((50, 3)), rng.random((50, 2))
    assert np.allclose(correlation(one, other), np.corrcoef(one.T, other.T)[:3, 3:])
    assert (correlation(np.ones((50, 1)), other) == 0).all()


def test_labels_follow_their_features(codes: np.ndarray) -> None:
    order = [3, 0, 4, 1, 2, 5]
    rows = np.eye(6, dtype=np.float32)
    labels = {0: "hat", 3: "moon", 5: "silent"}
    moved = plan_move(labels, (codes, 2 * codes[:, order]), (rows, rows[order]), {})
    assert moved.carried == {0: (1, "hat"), 3: (0, "moon")}
    assert "fires on none" in moved.left[5]


def test_what_does_not_agree_is_left_and_why_is_said(codes: np.ndarray, rng: np.random.Generator) -> None:
    rows = np.eye(6, dtype=np.float32)
    strange = rng.random(codes.shape).astype(np.float32)
    assert "no feature is like it" in plan_move({0: "hat"}, (codes, strange), (rows, rows), {}).left[0]
    # The same pictures, another direction.
    turned = np.roll(rows, 1, axis=1)
    assert 0 in plan_move({0: "hat"}, (codes, codes), (rows, turned), {}).left
    assert plan_move({0: "hat"}, (codes, codes), None, {}).carried == {0: (0, "hat")}
    # A label that the new dictionary has is not overwritten.
    assert "already" in plan_move({0: "hat"}, (codes, codes), None, {0: "cap"}).left[0]
    # Two old features that became one: the label of the nearer alone is carried.
    both = np.concatenate([codes, codes[:, :1] + 0.3 * codes[:, 1:2]], axis=1)
    moved = plan_move({0: "hat", 6: "hat and more"}, (both, codes), None, {})
    assert moved.carried == {0: (0, "hat")}
    assert "nearer to feature 0" in moved.left[6]


def test_a_run_keeps_the_dictionary_that_was_labelled(tmp_path: Path) -> None:
    for part in ("vae", "sae"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "model.safetensors").write_bytes(part.encode())
    before = dictionary_id(tmp_path)
    keep_labelled(tmp_path)
    assert not (tmp_path / "labelled").exists()  # nobody labelled it
    HandLabelFile(tmp_path, before).change({3: "shark"})
    keep_labelled(tmp_path)
    (tmp_path / "sae" / "model.safetensors").write_bytes(b"trained anew")
    assert labelled_folder(tmp_path) == (tmp_path / "labelled" / before, {3: "shark"})
    assert dictionary_id(tmp_path / "labelled" / before) == before
    with pytest.raises(LabelError, match="no hand labels"):
        labelled_folder(tmp_path / "sae")
