"""The file of hand labels: whose they are, who may write, and that nothing is lost."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from swiggle.atlas.hand_labels import NAME, HandLabelFile, HandLabels, LabelConflict, LabelError

MINE, OTHER = "0123456789abcdef", "fedcba9876543210"


def test_labels_are_kept_with_their_dictionary(tmp_path: Path) -> None:
    file = HandLabelFile(tmp_path, MINE)
    assert file.read() == HandLabels()
    assert file.state() is None
    assert file.change({7: "blåhaj hat", 2: "glow"}).labels == {2: "glow", 7: "blåhaj hat"}
    assert file.change({2: None}).labels == HandLabelFile(tmp_path, MINE).read().labels == {7: "blåhaj hat"}
    document = json.loads((tmp_path / NAME).read_text())
    assert (document["dictionary"], document["revision"]) == (MINE, 2)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_labels_of_another_dictionary_are_not_applied_and_not_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    HandLabelFile(tmp_path, OTHER).change({3: "shark"})
    mine = HandLabelFile(tmp_path, MINE)
    assert mine.read().labels == {}
    assert "jobs.labels move" in caplog.text
    assert OTHER in caplog.text
    assert mine.change({3: "teapot"}).labels == {3: "teapot"}
    kept = json.loads((tmp_path / f"hand_labels.{OTHER}.json").read_text())
    assert kept["labels"]["3"]["label"] == "shark"


def test_a_file_of_before_dictionaries_were_named_is_taken_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / NAME).write_text('{"5": "lantern"}')
    file = HandLabelFile(tmp_path, MINE)
    assert file.read().labels == {5: "lantern"}
    assert "names no dictionary" in caplog.text
    assert file.change({6: "moon"}).labels == {5: "lantern", 6: "moon"}
    assert json.loads((tmp_path / NAME).read_text())["dictionary"] == MINE


@pytest.mark.parametrize("content", ["[]", "{", '{"version": 1, "dictionary": "0123456789abcdef"}', '{"a": "b"}'])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    with pytest.raises(LabelError, match=r"hand_labels\.json"):
        HandLabelFile(tmp_path, MINE).read()
    with pytest.raises(LabelError):
        HandLabelFile(tmp_path, MINE).change({1: "x"})
    assert (tmp_path / NAME).read_text() == content


def test_a_label_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = HandLabelFile(tmp_path, MINE)
    seen = file.change({1: "hat", 2: "crown"}).revision
    file.change({1: "top hat"})
    with pytest.raises(LabelConflict) as conflict:
        file.change({1: "cap", 3: "moon"}, seen)
    assert conflict.value.labels == {1: "top hat"}
    assert file.read().labels == {1: "top hat", 2: "crown"}  # nothing of the change was done
    assert file.change({2: "tiara"}, seen).labels[2] == "tiara"  # another feature is no conflict
    assert file.change({1: "top hat"}, seen).labels[1] == "top hat"  # nor is what is there already
    file.change({2: None})
    with pytest.raises(LabelConflict):
        file.change({2: "crown of gold"}, seen)
    assert file.change({1: "cap"}).labels[1] == "cap"  # who names no revision overwrites


def _label(folder: Path, start: int) -> None:
    for feature in range(start, start + 20):
        HandLabelFile(folder, MINE).change({feature: f"label {feature}"})


def test_several_processes_lose_no_label(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_label, args=(tmp_path, 100 * number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    known = HandLabelFile(tmp_path, MINE).read()
    assert set(known.labels) == {100 * number + i for number in range(3) for i in range(20)}
    assert known.revision == 60


def test_a_crash_while_writing_leaves_the_labels_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = HandLabelFile(tmp_path, MINE)
    file.change({1: "hat"})

    def crash(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        file.change({1: "gone", 2: "gone too"})
    assert file.read().labels == {1: "hat"}


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LabelError, match="cannot be written"):
        HandLabelFile(tmp_path / "file", MINE).change({1: "hat"})
