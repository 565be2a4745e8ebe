import shutil
from pathlib import Path

import numpy as np
import pytest

from swiggle.atlas.hand_labels import NAMELESS, HandLabelFile, LabelError
from swiggle.atlas.label_move import Labelled, correlation, keep_labelled, labelled_at, plan_move
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


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for part in ("vae", "sae"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "model.safetensors").write_bytes(part.encode())
    return tmp_path


def test_a_run_keeps_every_dictionary_that_was_labelled(run: Path) -> None:
    before = dictionary_id(run)
    keep_labelled(run)
    assert not (run / "labelled").exists()  # nobody labelled it
    HandLabelFile(run, before).change({3: "shark"})
    keep_labelled(run)
    (run / "sae" / "model.safetensors").write_bytes(b"trained anew")
    second = dictionary_id(run)
    first_kept = Labelled(before, run / "labelled" / before, {3: "shark"})
    assert labelled_at(run, second) == [first_kept]
    assert dictionary_id(run / "labelled" / before) == before
    HandLabelFile(run, second).change({4: "whale"})
    keep_labelled(run)
    assert labelled_at(run, "f" * 16) == [Labelled(second, run, {4: "whale"}), first_kept]
    (run / "sae" / "model.safetensors").write_bytes(b"trained again")
    assert {one.dictionary for one in labelled_at(run, dictionary_id(run))} == {before, second}
    shutil.rmtree(run / "labelled" / second)
    assert Labelled(second, None, {4: "whale"}) in labelled_at(run, dictionary_id(run))


def test_labels_of_a_file_without_a_dictionary_stay_with_the_one_they_were_made_on(run: Path) -> None:
    (run / NAMELESS).write_text('{"3": "shark"}')
    before = dictionary_id(run)
    keep_labelled(run)
    (run / "sae" / "model.safetensors").write_bytes(b"trained anew")
    assert HandLabelFile(run, dictionary_id(run)).read().labels == {}
    assert labelled_at(run, dictionary_id(run)) == [Labelled(before, run / "labelled" / before, {3: "shark"})]


def test_nothing_to_move_is_said(run: Path) -> None:
    for location in (run, run / "sae", run / "nowhere"):
        with pytest.raises(LabelError, match="no hand labels"):
            labelled_at(location, "f" * 16)
    HandLabelFile(run, dictionary_id(run)).path.write_text("{")
    with pytest.raises(LabelError, match=r"hand_labels\..*json"):
        labelled_at(run, "f" * 16)
