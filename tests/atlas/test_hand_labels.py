"""The file of hand labels: whose they are, who may write, and that nothing is lost."""

import json
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from swiggle.atlas.hand_labels import (
    NAMELESS,
    HandLabelFile,
    HandLabels,
    LabelConflict,
    LabelError,
    LabelsReadOnly,
    labelled_dictionaries,
)

MINE, OTHER = "0123456789abcdef", "fedcba9876543210"


def test_labels_are_kept_with_their_dictionary(tmp_path: Path) -> None:
    file = HandLabelFile(tmp_path, MINE)
    assert file.read() == HandLabels()
    assert file.state() is None
    assert file.change({7: "blåhaj hat", 2: "glow"}).labels == {2: "glow", 7: "blåhaj hat"}
    assert file.change({2: None}).labels == HandLabelFile(tmp_path, MINE).read().labels == {7: "blåhaj hat"}
    document = json.loads(file.path.read_text())
    assert (document["dictionary"], document["revision"]) == (MINE, 2)
    assert {path.name for path in tmp_path.iterdir()} - {".hand_labels.lock"} == {f"hand_labels.{MINE}.json"}


def test_each_dictionary_has_its_own_labels(tmp_path: Path) -> None:
    """Two that take turns in one folder, as before and after a training that was taken back."""
    mine, theirs = HandLabelFile(tmp_path, MINE), HandLabelFile(tmp_path, OTHER)
    theirs.change({3: "shark"})
    assert mine.read().labels == {}
    mine.change({3: "teapot"})
    theirs.change({4: "whale"})
    mine.change({5: "moon"})
    assert theirs.read().labels == {3: "shark", 4: "whale"}
    assert mine.read().labels == {3: "teapot", 5: "moon"}
    assert labelled_dictionaries(tmp_path) == [MINE, OTHER]
    shutil.copy(theirs.path, mine.path)
    with pytest.raises(LabelError, match=OTHER):
        mine.read()


def test_a_file_of_before_dictionaries_were_named_is_taken_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / NAMELESS).write_text('{"5": "lantern"}')
    file = HandLabelFile(tmp_path, MINE)
    assert file.state() is not None
    assert file.read().labels == {5: "lantern"}
    assert "names no dictionary" in caplog.text
    assert labelled_dictionaries(tmp_path) == []
    assert file.change({6: "moon"}).labels == {5: "lantern", 6: "moon"}
    assert labelled_dictionaries(tmp_path) == [MINE]
    # From now on they are of that dictionary alone.
    assert not (tmp_path / NAMELESS).exists()
    assert HandLabelFile(tmp_path, OTHER).read().labels == {}
    # Whoever brings another such file, has it neither applied nor deleted.
    (tmp_path / NAMELESS).write_text('{"5": "moth"}')
    assert file.change({7: "star"}).labels == {5: "lantern", 6: "moon", 7: "star"}
    assert (tmp_path / NAMELESS).exists()


@pytest.mark.parametrize("name", [NAMELESS, f"hand_labels.{MINE}.json"])
@pytest.mark.parametrize(
    "content", ["[]", "{", '{"version": 1, "dictionary": "0123456789abcdef"}', '{"a": "b"}', '{"1": 2}', b"\xff{}"]
)
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, name: str, content: str | bytes) -> None:
    content = content.encode() if isinstance(content, str) else content
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelError, match=name.replace(".", r"\.")):
        HandLabelFile(tmp_path, MINE).read()
    with pytest.raises(LabelError):
        HandLabelFile(tmp_path, MINE).change({1: "x"})
    assert (tmp_path / name).read_bytes() == content


def test_a_revision_that_is_not_there_yet_is_of_a_file_that_is_gone(tmp_path: Path) -> None:
    file = HandLabelFile(tmp_path, MINE)
    for label in ("a", "b", "c"):
        seen = file.change({1: label}).revision
    file.path.unlink()
    file.change({1: "of somebody else"})
    with pytest.raises(LabelConflict):
        file.change({1: "d"}, seen)
    assert file.change({2: "e"}, seen).labels[2] == "e"  # nobody has labelled that one


def test_a_lock_that_is_held_for_too_long_is_no_read_only_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swiggle.atlas.hand_labels._LOCK_SECONDS", 0.1)
    file = HandLabelFile(tmp_path, MINE)
    with FileLock(tmp_path / ".hand_labels.lock"), pytest.raises(LabelError, match="try again") as busy:
        file.change({1: "hat"})
    assert not isinstance(busy.value, LabelsReadOnly)


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
    monkeypatch.undo()
    left = tmp_path / ".hand_labels.x1y2.partial"  # what a kill leaves
    left.write_text("{")
    file.change({2: "moon"})
    assert not left.exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LabelsReadOnly, match="cannot be written"):
        HandLabelFile(tmp_path / "file", MINE).change({1: "hat"})
