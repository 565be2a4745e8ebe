"""Labels by hand in their file: whose they are, who wrote last, and that nothing is lost."""

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from swiggle.atlas.hand_labels import entry_for
from swiggle.atlas.index import Entry
from swiggle.errors import SwiggleError
from swiggle.vocabulary import Vocabulary
from tests.atlas.small_bundle import DICTIONARIES

ONE, OTHER = DICTIONARIES
issue_20 = pytest.mark.xfail(strict=True, reason="issue 20: labels by hand name their dictionary, and none is lost")


def test_labels_are_read_by_the_vocabulary() -> None:
    nouns = Vocabulary.load("nouns")
    assert entry_for(7, "Blåhaj hat", nouns) == Entry(7, "Blåhaj hat", "blåhaj", "head")
    assert entry_for(2, "glow", nouns) == Entry(2, "glow", "glow", None)


@issue_20
def test_labels_are_kept_with_their_dictionary(tmp_path: Path) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile

    file = HandLabelFile(tmp_path, ONE)
    assert file.read().labels == {}
    file.change({7: "blåhaj hat", 2: "glow"})
    assert HandLabelFile(tmp_path, ONE).read().labels == {2: "glow", 7: "blåhaj hat"}
    kept = json.loads((tmp_path / "hand_labels.json").read_text())
    assert (kept["dictionary"], kept["revision"], kept["labels"]) == (ONE, 1, {"2": "glow", "7": "blåhaj hat"})
    assert file.change({2: None, 9: None}).labels == {7: "blåhaj hat"}
    assert file.change({}).revision == 2
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == ["hand_labels.json"]


@issue_20
@pytest.mark.parametrize("content", ["[]", '{"labels": 3}', '{"a": "b"}', "{", '{"version": 99, "labels": {}}'])
def test_a_damaged_file_is_named_and_never_written_over(tmp_path: Path, content: str) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile, LabelError

    (tmp_path / "hand_labels.json").write_text(content)
    assert issubclass(LabelError, SwiggleError)
    with pytest.raises(LabelError, match=r"hand_labels\.json"):
        HandLabelFile(tmp_path, ONE).read()
    with pytest.raises(LabelError, match=r"hand_labels\.json"):
        HandLabelFile(tmp_path, ONE).change({1: "x"})
    assert (tmp_path / "hand_labels.json").read_text() == content


@issue_20
def test_a_file_without_a_dictionary_is_taken_over_with_the_first_label(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile

    (tmp_path / "hand_labels.json").write_text('{"5": "of before"}')
    file = HandLabelFile(tmp_path, ONE)
    assert file.read().labels == {5: "of before"}
    assert (tmp_path / "hand_labels.json").read_text() == '{"5": "of before"}'
    with caplog.at_level(logging.WARNING):
        file.change({6: "of now"})
    assert "names no dictionary" in caplog.text
    assert HandLabelFile(tmp_path, OTHER).read().labels == {}
    assert HandLabelFile(tmp_path, ONE).read().labels == {5: "of before", 6: "of now"}


@issue_20
def test_labels_of_another_dictionary_are_neither_applied_nor_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile

    one, other = HandLabelFile(tmp_path, ONE), HandLabelFile(tmp_path, OTHER)
    one.change({5: "a shark"})
    with caplog.at_level(logging.WARNING):
        assert other.read().labels == {}
    assert len(caplog.messages) == 1
    assert "python -m jobs.labels move" in caplog.text
    assert ONE in caplog.text
    other.change({5: "a lamp"})
    assert one.read().labels == {5: "a shark"}
    one.change({6: "a crown"})  # the replica that an update has not replaced yet
    assert other.read().labels == {5: "a lamp"}
    assert one.read().labels == {5: "a shark", 6: "a crown"}
    assert other.change({5: None}).labels == {}
    assert HandLabelFile(tmp_path, ONE).read().labels == {5: "a shark", 6: "a crown"}


@issue_20
def test_a_change_of_what_somebody_changed_is_refused(tmp_path: Path) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile, LabelConflict

    mine, theirs = HandLabelFile(tmp_path, ONE), HandLabelFile(tmp_path, ONE)
    seen = mine.change({1: "shark"}).revision
    theirs.change({2: "lamp"}, seen)  # another feature: no conflict
    theirs.change({1: "whale"}, seen)
    with pytest.raises(LabelConflict, match="“whale”"):
        mine.change({1: "dolphin", 3: "crown"}, seen)
    assert mine.read().labels == {1: "whale", 2: "lamp"}
    assert mine.change({3: "crown"}, seen).labels[3] == "crown"
    theirs.change({3: None})
    with pytest.raises(LabelConflict, match="taken back"):
        mine.change({3: "tiara"}, seen + 3)
    mine.change({1: "whale"}, seen)  # the same wish, as when a lost call is made again
    with pytest.raises(LabelConflict):
        mine.change({4: "x"}, 99)  # no revision of this file


@issue_20
def test_what_others_wrote_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from swiggle.atlas import hand_labels

    now = 100.0
    monkeypatch.setattr(hand_labels.time, "monotonic", lambda: now)
    mine, theirs = (hand_labels.HandLabelFile(tmp_path, ONE) for _ in range(2))
    assert mine.current().labels == {}
    theirs.change({1: "shark"})
    assert mine.current().labels == {}
    assert mine.current(at_least=1).labels == {1: "shark"}
    theirs.change({1: "whale"})
    now += 1.5
    first = mine.current()
    assert first.labels == {1: "whale"}
    now += 1.5
    assert mine.current() is first  # nothing changed, nothing is read
    (tmp_path / "hand_labels.json").write_text("{")
    now += 1.5
    assert mine.current() is first  # what was known serves on
    assert mine.change is not None


@issue_20
def test_no_label_is_lost_among_threads(tmp_path: Path) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile

    def write(start: int) -> None:
        file = HandLabelFile(tmp_path, ONE)
        for feature in range(start, start + 20):
            file.change({feature: f"label {feature}"})

    threads = [threading.Thread(target=write, args=(20 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = HandLabelFile(tmp_path, ONE).read()
    assert (found.revision, found.labels) == (80, {i: f"label {i}" for i in range(80)})


WRITER = """
import sys
from pathlib import Path
from swiggle.atlas.hand_labels import HandLabelFile
start = int(sys.argv[2])
file = HandLabelFile(Path(sys.argv[1]), sys.argv[3])
for feature in range(start, start + 100):
    file.change({feature: f"label {feature}"})
    print(feature, flush=True)
"""


@issue_20
def test_no_label_is_lost_among_processes_nor_by_a_kill(tmp_path: Path) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile

    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(start), ONE], stdout=subprocess.PIPE, text=True)
        for start in (0, 100)
    ]
    killed, other = writers
    assert killed.stdout is not None
    for line in killed.stdout:
        if int(line) >= 10:
            killed.kill()
            break
    said = {int(line) for line in killed.stdout} | set(range(11))
    assert other.wait(60) == 0
    found = HandLabelFile(tmp_path, ONE).change({999: "last"}).labels
    assert said | set(range(100, 200)) | {999} <= set(found)
    assert all(label == f"label {i}" for i, label in found.items() if i != 999)
    assert not list(tmp_path.glob(".hand_labels.json-*"))  # what the kill left half written


@issue_20
def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from swiggle.atlas.hand_labels import HandLabelFile, LabelsNotWritten

    HandLabelFile(tmp_path, ONE).change({1: "shark"})

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(LabelsNotWritten, match="Read-only file system"):
        HandLabelFile(tmp_path, ONE).change({2: "x"})
    assert HandLabelFile(tmp_path, ONE).read().labels == {1: "shark"}
    with pytest.raises(LabelsNotWritten):
        HandLabelFile(tmp_path / "not there", ONE).change({2: "x"})
