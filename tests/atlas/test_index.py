import time
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest

from swiggle.atlas.entries import Entry, entry_for
from swiggle.atlas.index import ChromaAway, LabelIndex, Match, open_chroma, open_locally
from swiggle.atlas.text import text_encoder
from swiggle.captions.vocabulary import Vocabulary

ENTRIES = [
    Entry(3, "shark head", "shark", "head"),
    Entry(4, "whale head", "whale", "head"),
    Entry(9, "robot head", "robot", "head"),
    Entry(12, "robot accessory", "robot", "accessory"),
    Entry(20, "red body", "red", "body"),
]


@pytest.fixture
def index(tmp_path: Path) -> LabelIndex:
    return LabelIndex(open_chroma(str(tmp_path / "chroma")), ENTRIES)


def test_search_by_meaning(index: LabelIndex) -> None:
    exact = index.search("shark", "head")
    assert exact[0].feature == 3
    assert exact[0].score == pytest.approx(1.0, abs=1e-4)
    assert index.search("android", "head")[0].feature == 9
    assert {m.feature for m in index.search("robot", limit=2)} == {9, 12}
    assert index.search("robot", "accessory")[0].feature == 12
    assert index.search("robot", "no such place") == []


def test_a_new_label_is_found_at_once(index: LabelIndex) -> None:
    index.label_by_hand([Entry(3, "pirate ship head", "pirate ship", "head"), Entry(7, "kraken", "kraken", None)])
    assert index.search("pirate ship")[0].feature == 3
    assert index.search("kraken")[0] == Match(7, "kraken", None, pytest.approx(1.0, abs=1e-4))
    assert index.search("kraken", "head")[0].feature != 7
    assert index.search("shark")[0].score < 0.9
    assert len(index.search("shark", limit=2)) == 2
    index.label_by_hand([])
    assert 7 not in {m.feature for m in index.search("kraken")}


def test_a_label_that_was_taken_back_is_gone_after_a_restart(tmp_path: Path) -> None:
    where = str(tmp_path / "chroma")
    first = LabelIndex(open_chroma(where), ENTRIES)
    first.label_by_hand([Entry(3, "pirate ship head", "pirate ship", "head")])
    first.label_by_hand([])
    after = LabelIndex(open_chroma(where), ENTRIES)
    assert after.search("shark", limit=1) == [Match(3, "shark head", "head", pytest.approx(1.0, abs=1e-4))]
    assert after.search("pirate ship") == LabelIndex(open_chroma(None), ENTRIES).search("pirate ship")


def test_one_collection_serves_whatever_is_labelled_by_hand(tmp_path: Path) -> None:
    where = str(tmp_path / "chroma")
    for _ in range(2):
        LabelIndex(open_chroma(where), ENTRIES).label_by_hand([Entry(3, "moon", "moon", None)])
    assert [c.count() for c in open_chroma(where).list_collections()] == [5]


def test_a_collection_that_was_half_filled_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = open_chroma(str(tmp_path / "chroma"))
    monkeypatch.setattr("swiggle.atlas.index._BATCH", 2)
    written = []

    def killed(self: Any, *arguments: Any, **named: Any) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(named)
        upsert(self, *arguments, **named)

    upsert = chromadb.Collection.upsert
    monkeypatch.setattr(chromadb.Collection, "upsert", killed)
    with pytest.raises(KeyboardInterrupt):
        LabelIndex(client, ENTRIES)
    monkeypatch.setattr(chromadb.Collection, "upsert", upsert)
    assert LabelIndex(client, ENTRIES).search("red", "body", limit=1)[0].feature == 20


def test_a_collection_of_the_same_name_and_size_with_other_content_is_filled_anew(tmp_path: Path) -> None:
    client = open_chroma(str(tmp_path / "chroma"))
    name = LabelIndex(client, ENTRIES)._collection.name
    strange = client.get_collection(name)
    strange.delete(ids=["3"])
    strange.add(ids=["77"], embeddings=np.ones((1, 384), np.float32))
    strange.modify(metadata={"content": "of something else"})
    assert {m.feature for m in LabelIndex(client, ENTRIES).search("shark")} == {e.feature for e in ENTRIES}


def test_old_collections_go_and_those_of_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = open_chroma(str(tmp_path / "chroma"))
    client.create_collection("labels-0123456789abcdef")  # of an earlier release, which did not say when it was opened
    theirs = ["labels-of-my-thesis", "of-somebody-else"]
    for name in theirs:
        client.create_collection(name, metadata={"opened": 1.0})
    other = LabelIndex(client, ENTRIES[:2])
    LabelIndex(client, ENTRIES)
    assert len(client.list_collections()) == 5  # servers may be running on all of them
    later = time.time() + 8 * 24 * 3600
    monkeypatch.setattr("swiggle.atlas.index.time.time", lambda: later)
    ours = LabelIndex(client, ENTRIES)
    assert sorted(c.name for c in client.list_collections()) == sorted([*theirs, ours._collection.name])
    # A server that has been running for all that time fills its own again.
    assert other.search("shark")[0].feature == 3


def test_a_collection_that_is_being_filled_is_not_taken_for_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_chroma(str(tmp_path / "chroma"))
    upsert = chromadb.Collection.upsert

    def another_server_starts(self: Any, *arguments: Any, **named: Any) -> None:
        monkeypatch.setattr(chromadb.Collection, "upsert", upsert)
        LabelIndex(client, ENTRIES[:2])
        upsert(self, *arguments, **named)

    monkeypatch.setattr(chromadb.Collection, "upsert", another_server_starts)
    assert LabelIndex(client, ENTRIES).search("red", "body", limit=1)[0].feature == 20


def test_two_servers_on_one_chroma_do_not_see_each_others_hand_labels(tmp_path: Path) -> None:
    where = str(tmp_path / "chroma")
    ours, theirs = (LabelIndex(open_chroma(where), ENTRIES) for _ in range(2))
    theirs.label_by_hand([Entry(30, "kitten head", "kitten", "head")])
    assert theirs.search("kitten", "head")[0].feature == theirs.search("kitten")[0].feature == 30
    assert {m.feature for m in ours.search("kitten")} == {e.feature for e in ENTRIES}


def test_a_disk_that_cannot_be_written_to_does_not_keep_labels_from_being_found(tmp_path: Path) -> None:
    vectors = text_encoder().encode([entry.words for entry in ENTRIES])
    blocked = tmp_path / "a file"
    blocked.write_text("in the way of a folder")
    for folders in ([blocked / "chroma", tmp_path / "cache"], [blocked / "chroma"]):
        index = open_locally(folders, ENTRIES, vectors)
        assert index.search("shark", limit=1)[0].feature == 3
    assert (tmp_path / "cache").is_dir()


def test_a_damaged_folder_does_not_keep_labels_from_being_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vectors = text_encoder().encode([entry.words for entry in ENTRIES])
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"no database at all" * 100)
    index = open_locally([tmp_path / "chroma", tmp_path / "cache"], ENTRIES, vectors)
    assert index.search("shark", limit=1)[0].feature == 3
    assert str(tmp_path / "chroma") in caplog.text


@pytest.mark.parametrize("location", ["http://127.0.0.1:9", "https://localhost:9", "ftp://host", "http://host:port"])
def test_a_server_that_is_not_there_is_named(location: str) -> None:
    with pytest.raises(ChromaAway, match=location):
        open_chroma(location)


def test_https_is_a_server_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def client(host: str, port: int, **named: Any) -> None:
        asked.update(named, host=host, port=port)

    monkeypatch.setattr(chromadb, "HttpClient", client)
    open_chroma("https://chroma.example")
    assert (asked["host"], asked["port"], asked["ssl"]) == ("chroma.example", 443, True)
    open_chroma("http://[::1]:8001/")
    assert (asked["host"], asked["port"], asked["ssl"]) == ("::1", 8001, False)


def test_how_labels_are_found() -> None:
    nouns = Vocabulary.load("nouns")
    assert entry_for(7, "Blåhaj hat", nouns) == Entry(7, "Blåhaj hat", "blåhaj", "head")
    assert entry_for(2, "glow", nouns) == Entry(2, "glow", "glow", None)
