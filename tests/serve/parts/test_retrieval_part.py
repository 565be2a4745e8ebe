"""The Retrieval part: several of them on one bundle, and what is said when something does not work."""

import threading
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from serve.parts.retrieval_part import RetrievalPart
from serve.runtime.api_errors import ApiError
from swiggle.atlas.hand_labels import HandLabelFile
from swiggle.atlas.index import LabelIndex
from tests.serve.label_bundle import Encoder, FakeBundle

MINE = "a" * 16


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swiggle.atlas.index.text_encoder", Encoder)


def part_of(folder: Path, chroma: str | None = None) -> RetrievalPart:
    bundle: Any = FakeBundle(folder, MINE)
    return RetrievalPart(bundle, chroma)


def refused(call: Any, *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        call(*arguments)
    return error.value


def test_labels_of_two_servers_and_the_command_line_add_up(tmp_path: Path) -> None:
    one, other = part_of(tmp_path), part_of(tmp_path)
    one.put_labels({1: "pirate ship head"})
    HandLabelFile(tmp_path, MINE).change({2: "tiny moon head"})
    other.put_labels({3: "glow head"})
    for part in (one, other):  # at once, without a second's wait
        assert part.search("glow", 1)[0].feature == 3
        assert part.labels().labels == {1: "pirate ship head", 2: "tiny moon head", 3: "glow head"}


def test_a_damaged_file_leaves_the_labels_of_before_in_use(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    part = part_of(tmp_path)
    part.put_labels({1: "glow head"})
    file = HandLabelFile(tmp_path, MINE)
    whole = file.path.read_text()
    file.path.write_text("{")
    assert part.search("glow", 1)[0].feature == 1
    assert part.labels().labels == {1: "glow head"}
    assert str(file.path) in caplog.text
    part._planner = None  # Chroma is opened again meanwhile
    assert part.search("glow", 1)[0].feature == 1
    error = refused(part.put_labels, {2: "x"})
    assert (error.status, error.code) == (503, "labels_unavailable")
    file.path.write_text(whole)
    assert part.put_labels({2: "moon head"}).labels == {1: "glow head", 2: "moon head"}


def test_conflict_read_only_and_busy_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = part_of(tmp_path)
    part.put_labels({1: "a"})
    conflict = refused(part.put_labels, {1: "b"}, 0)
    assert (conflict.status, conflict.code) == (409, "conflict")
    monkeypatch.setattr("swiggle.atlas.hand_labels._LOCK_SECONDS", 0.1)
    with FileLock(tmp_path / ".hand_labels.lock"):
        busy = refused(part.put_labels, {1: "b"})
    assert (busy.status, busy.code, busy.headers) == (503, "labels_unavailable", {"Retry-After": "1"})

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    read_only = refused(part.put_labels, {1: "b"})
    assert (read_only.status, read_only.code) == (403, "labels_read_only")
    assert part.search("a", 1)[0].feature == 1


@pytest.mark.parametrize("chroma", ["http://127.0.0.1:9", "https://127.0.0.1:9", "ftp://127.0.0.1"])
def test_labels_are_written_while_chroma_is_away(tmp_path: Path, chroma: str) -> None:
    part = part_of(tmp_path, chroma)
    assert part.put_labels({1: "kept head"}).labels == {1: "kept head"}
    lost = refused(part.search, "kept", 1)
    assert (lost.status, lost.code) == (503, "retrieval_unavailable")
    assert chroma in lost.message
    assert part_of(tmp_path).search("kept", 1)[0].feature == 1


def test_a_fault_of_our_own_is_not_chromas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a fault of ours")

    for chroma in (None, "http://127.0.0.1:8000"):
        part = part_of(tmp_path, chroma)
        with monkeypatch.context() as broken_for_now:
            broken_for_now.setattr("swiggle.atlas.index._filled", broken)
            broken_for_now.setattr("tests.serve.label_bundle.open_chroma", lambda location: None)
            with pytest.raises(ValueError, match="a fault of ours"):
                part.search("shark", 1)


def test_a_label_that_is_written_while_chroma_is_opened_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_of(tmp_path)
    opened = LabelIndex.__init__

    def slowly(self: LabelIndex, *arguments: Any) -> None:
        opened(self, *arguments)
        part.put_labels({1: "glow head"})

    monkeypatch.setattr(LabelIndex, "__init__", slowly)
    assert part.search("glow", 1)[0].feature == 1


def test_searching_and_labelling_at_once(tmp_path: Path) -> None:
    part = part_of(tmp_path)
    part.search("shark", 1)
    stop = threading.Event()
    faults: list[BaseException] = []

    def search() -> None:
        while not stop.is_set():
            try:
                assert len(part.search("shark head", 3)) == 3
            except BaseException as error:
                faults.append(error)
                return

    searching = [threading.Thread(target=search) for _ in range(3)]
    for thread in searching:
        thread.start()
    for number in range(60):
        part.put_labels({number % 5: f"label {number} head" if number % 3 else None})
    stop.set()
    for thread in searching:
        thread.join()
    assert faults == []
    assert 0 < part.labels().revision <= 60
