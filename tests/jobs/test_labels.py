"""`python -m jobs.labels`: files out and in, and labels that move to a dictionary that was trained anew."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from jobs import labels
from swiggle.atlas.atlas import Atlas
from swiggle.atlas.hand_labels import NAMELESS, HandLabelFile
from swiggle.atlas.label_move import keep_labelled
from swiggle.manifest import dictionary_id, make_manifest
from tests.hand_bundle import FEATURES


def command(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["jobs.labels", *map(str, words)])
    labels.main()


@pytest.fixture
def old(hand_copy: Path) -> Path:
    return hand_copy


def retrained(old: Path, new: Path, order: torch.Tensor) -> Path:
    """A bundle whose feature i is feature order[i] of the old one; the last is another direction."""
    shutil.copytree(old, new, ignore=shutil.ignore_patterns("hand_labels*", "*.lock"))
    weights = load_file(new / "sae/model.safetensors")
    for name, tensor in weights.items():
        if tensor.ndim and order.numel() in tensor.shape:
            weights[name] = tensor.index_select(list(tensor.shape).index(order.numel()), order).contiguous()
    row = torch.nn.functional.normalize(torch.randn(256, generator=torch.Generator().manual_seed(0)), dim=0)
    weights["W_dec"][-1] = row.view_as(weights["W_dec"][-1])
    save_file(weights, new / "sae/model.safetensors")
    (new / "bundle.json").write_text(json.dumps(make_manifest(new, {}, {})))
    return new


@pytest.mark.parametrize("name", ["labels.csv", "labels.json"])
def test_a_file_names_its_dictionary_and_is_refused_by_another(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    of_old = HandLabelFile(old, dictionary_id(old))
    of_old.change({5: "lantern head"})
    command(monkeypatch, "export", old, tmp_path / name)
    of_old.change({5: None})
    command(monkeypatch, "import", old, tmp_path / name)
    assert of_old.read().labels == {5: "lantern head"}
    new = retrained(old, tmp_path / "new", torch.randperm(FEATURES, generator=torch.Generator().manual_seed(1)))
    capsys.readouterr()
    with pytest.raises(SystemExit):
        command(monkeypatch, "import", new, tmp_path / name)
    said = capsys.readouterr().err
    assert "jobs.labels move" in said
    assert dictionary_id(old) in said
    assert "Traceback" not in said
    assert HandLabelFile(new, dictionary_id(new)).read().labels == {}


def test_labels_move_to_a_retrained_dictionary(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    atlas = Atlas.load(old / "atlas")
    frequent = [int(i) for i in np.argsort(-atlas.density, kind="stable")[:6]]
    dead = int(np.flatnonzero(atlas.density == 0)[0])
    order = torch.arange(FEATURES).roll(7)
    last, lost = FEATURES - 1, int((order == frequent[5]).nonzero())
    order[[last, lost]] = order[[lost, last]]
    new = retrained(old, tmp_path / "new", order)
    where = {feature: int((order == feature).nonzero()) for feature in frequent}
    named = {feature: f"label {feature}" for feature in [*frequent, dead]}
    HandLabelFile(old, dictionary_id(old)).change(named)
    there = HandLabelFile(new, dictionary_id(new))
    there.change({where[frequent[4]]: "theirs"})
    command(monkeypatch, "move", old, new)
    said = capsys.readouterr().out
    expected = {where[i]: f"label {i}" for i in frequent[:4]} | {where[frequent[4]]: "theirs"}
    assert there.read().labels == expected
    lines = said.splitlines()
    assert any(f"feature {dead}," in line and "none of the pictures" in line for line in lines), said
    assert any(f"feature {frequent[4]}," in line and "theirs" in line for line in lines), said
    assert any(f"feature {frequent[5]}," in line and "no feature is like it" in line for line in lines), said
    assert "4 of 7" in said
    command(monkeypatch, "move", old, new)  # again: nothing is lost, nothing is twice
    assert there.read().labels == expected


def test_labels_move_in_place(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A run whose dictionary was trained again where it was."""
    atlas = Atlas.load(old / "atlas")
    feature = int(np.argmax(atlas.density))
    before = dictionary_id(old)
    HandLabelFile(old, before).change({feature: "often there"})
    keep_labelled(old)
    order = torch.arange(FEATURES).roll(7)
    new = retrained(old, tmp_path / "new", order)
    shutil.rmtree(old / "sae")
    shutil.copytree(new / "sae", old / "sae")
    shutil.copy(new / "bundle.json", old)
    command(monkeypatch, "move", old, old)
    assert f"hand labels of dictionary {before}" in caplog.text
    assert "jobs.labels move" in caplog.text
    moved = {int((order == feature).nonzero()): "often there"}
    assert HandLabelFile(old, dictionary_id(old)).read().labels == moved
    assert HandLabelFile(old, before).read().labels == {feature: "often there"}  # and back, should it come back
    caplog.clear()
    command(monkeypatch, "export", old, tmp_path / "labels.csv")
    assert "not applied" not in caplog.text
    (old / NAMELESS).write_text('{"1": "moth"}')  # as an earlier release would write it now
    command(monkeypatch, "export", old, tmp_path / "labels.csv")
    assert f"{NAMELESS} names no dictionary and is not applied" in caplog.text


def test_what_has_no_bundle_is_said_in_a_line(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = shutil.copytree(old, tmp_path / "damaged")
    HandLabelFile(damaged, dictionary_id(damaged)).path.write_text("{")
    new = retrained(old, tmp_path / "new", torch.arange(FEATURES).roll(1))
    for words in (
        ("export", tmp_path / "nowhere", "x.csv"),
        ("export", old, tmp_path / "nowhere" / "x.csv"),
        ("export", damaged, tmp_path / "x.csv"),
        ("move", old, tmp_path / "nowhere"),
        ("move", old, old),
        ("move", damaged, new),
    ):
        with pytest.raises(SystemExit):
            command(monkeypatch, *words)
        assert capsys.readouterr().err.startswith("error: ")


def test_a_fault_of_the_program_keeps_its_traceback(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr("jobs.labels.label_rows", broken)
    with pytest.raises(ValueError, match="a fault of ours"):
        command(monkeypatch, "export", old, old / "labels.csv")
