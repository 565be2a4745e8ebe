"""The Retrieval part: several of them on one bundle, and what is said when something does not work."""

import threading
from pathlib import Path
from typing import Any

import pytest

from serve.errors import ApiError
from serve.parts import RetrievalPart
from swiggle.atlas import hand_labels
from tests.atlas.small_bundle import Hashed, small_bundle, without_a_model

issue_20 = pytest.mark.xfail(strict=True, reason="issue 20: labels among servers, faults said for what they are")


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    without_a_model(monkeypatch)


@issue_20
def test_labels_of_two_servers_and_the_command_line_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_labels, "LOOK_AGAIN", 0.0)
    one, other = (RetrievalPart(small_bundle(tmp_path)) for _ in range(2))
    one.put_labels({1: "pirate ship head"})
    hand_labels.HandLabelFile(tmp_path, one.bundle.dictionary).change({2: "tiny moon"})
    other.put_labels({3: "glow"})
    for part in (one, other):
        assert part.labels().labels == {1: "pirate ship head", 2: "tiny moon", 3: "glow"}
        assert part.search("glow", 1)[0].feature == 3
        assert part.understand("make it a pirate ship")[0].found.matched[0].feature == 1


@issue_20
def test_a_server_that_is_behind_catches_up_when_it_is_told(tmp_path: Path) -> None:
    one, other = (RetrievalPart(small_bundle(tmp_path)) for _ in range(2))
    assert other.understand("make it a lantern")[0].found.matched == []
    revision = one.put_labels({1: "lantern head"}).revision
    assert other.understand("make it a lantern", revision)[0].found.matched[0].feature == 1


@issue_20
def test_a_conflict_and_a_read_only_bundle_are_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = RetrievalPart(small_bundle(tmp_path))
    part.put_labels({1: "a"})
    with pytest.raises(ApiError) as conflict:
        part.put_labels({1: "b"}, 0)
    assert (conflict.value.status, conflict.value.code) == (409, "conflict")

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(ApiError) as refused:
        part.put_labels({1: "c"})
    assert (refused.value.status, refused.value.code) == (503, "read_only")
    assert part.search("a", 1)[0].feature == 1


@issue_20
def test_labels_are_written_while_chroma_is_away(tmp_path: Path) -> None:
    part = RetrievalPart(small_bundle(tmp_path), "http://127.0.0.1:1")
    assert part.put_labels({1: "kept"}).labels == {1: "kept"}
    with pytest.raises(ApiError) as lost:
        part.search("kept", 1)
    assert lost.value.code == "retrieval_unavailable"
    assert RetrievalPart(small_bundle(tmp_path)).search("kept", 1)[0].feature == 1


@issue_20
def test_a_fault_of_our_own_is_not_chromas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = RetrievalPart(small_bundle(tmp_path))
    (tmp_path / "index/labels.parquet").unlink()
    with pytest.raises(FileNotFoundError):
        part.search("shark", 1)
    small_bundle(tmp_path)

    def broken(self: Any, texts: Any) -> None:
        raise ValueError("a fault of the encoder")

    monkeypatch.setattr(Hashed, "encode", broken)
    with pytest.raises(ValueError, match="a fault of the encoder"):
        part.search("shark", 1)


@issue_20
def test_searching_and_labelling_at_once(tmp_path: Path) -> None:
    part = RetrievalPart(small_bundle(tmp_path))
    part.search("shark", 1)
    stop = threading.Event()
    faults: list[BaseException] = []

    def search() -> None:
        while not stop.is_set():
            try:
                found = part.search("shark head", 3)
                assert len(found) == 3
            except BaseException as error:
                faults.append(error)
                return

    searching = [threading.Thread(target=search) for _ in range(3)]
    for thread in searching:
        thread.start()
    for number in range(60):
        part.put_labels({number % 12: f"label {number} head" if number % 3 else None})
    stop.set()
    for thread in searching:
        thread.join()
    assert faults == []
    assert part.labels().revision <= 60
