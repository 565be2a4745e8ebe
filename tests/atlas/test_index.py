import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest

from swiggle.atlas import index as module
from swiggle.atlas.index import Entry, LabelIndex, open_chroma
from tests.atlas.small_bundle import Hashed, small_bundle, without_a_model

ENTRIES = [
    Entry(3, "shark head", "shark", "head"),
    Entry(4, "whale head", "whale", "head"),
    Entry(9, "robot head", "robot", "head"),
    Entry(12, "robot accessory", "robot", "accessory"),
    Entry(20, "red body", "red", "body"),
]
DAY = 24 * 3600.0
issue_20 = pytest.mark.xfail(strict=True, reason="issue 20: an index is what its labels are")


@pytest.fixture
def index(tmp_path: Path) -> LabelIndex:
    return LabelIndex(open_chroma(str(tmp_path / "chroma")), ENTRIES)


def collections(where: str) -> dict[str, int]:
    """Name and size of each collection, as a client sees them that remembers nothing."""
    client = chromadb.PersistentClient(where, open_chroma(where).get_settings())
    return {found.name: found.count() for found in client.list_collections()}


def test_search_by_meaning(index: LabelIndex) -> None:
    exact = index.search("shark", "head")
    assert exact[0].feature == 3
    assert exact[0].score == pytest.approx(1.0, abs=1e-4)
    assert index.search("android", "head")[0].feature == 9
    assert {m.feature for m in index.search("robot", limit=2)} == {9, 12}
    assert index.search("robot", "accessory")[0].feature == 12
    assert index.search("robot", "no such place") == []


@issue_20
def test_a_new_label_is_found_at_once(index: LabelIndex) -> None:
    index.label_by_hand([Entry(3, "pirate ship head", "pirate ship", "head")])
    assert index.search("pirate ship")[0].feature == 3
    assert index.search("pirate ship", "head", limit=1)[0].label == "pirate ship head"
    assert index.search("shark")[0].score < 0.9
    index.label_by_hand([])
    assert index.search("pirate ship")[0].score < 0.9
    assert index.search("shark")[0].score == pytest.approx(1.0, abs=1e-4)


@issue_20
def test_a_label_that_was_taken_back_is_not_found_after_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a_model(monkeypatch)
    where = str(tmp_path / "chroma")
    by_hand = Entry(3, "pirate ship head", "pirate ship", "head")
    LabelIndex(open_chroma(where), ENTRIES).label_by_hand([by_hand])
    LabelIndex(open_chroma(where), [by_hand, *ENTRIES[1:]]).label_by_hand([])
    after = LabelIndex(open_chroma(where), ENTRIES)
    assert after.search("pirate ship", limit=1)[0].score < 0.5
    assert after.search("shark", limit=1)[0].score == pytest.approx(1.0, abs=1e-4)


@issue_20
def test_a_filled_collection_is_used_again_and_an_old_one_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_a_model(monkeypatch)
    where = str(tmp_path / "chroma")
    open_chroma(where).create_collection("labels-0123456789abcdef")  # of a release before, that wrote into it
    LabelIndex(open_chroma(where), ENTRIES, own=True)
    filled = collections(where)
    assert list(filled.values()) == [5]
    monkeypatch.setattr(LabelIndex, "_fill", None)
    LabelIndex(open_chroma(where), ENTRIES, own=True)
    monkeypatch.undo()
    without_a_model(monkeypatch)
    LabelIndex(open_chroma(where), ENTRIES[:2], own=True)
    assert sorted(collections(where).values()) == [2, 5]  # another server may be searching the first
    now = module.time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + 2 * DAY)
    LabelIndex(open_chroma(where), ENTRIES[:2], own=True)
    assert list(collections(where).values()) == [2]


@issue_20
def test_on_a_shared_server_only_collections_of_the_same_dictionary_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a_model(monkeypatch)
    where = str(tmp_path / "chroma")
    open_chroma(where).create_collection("labels-0123456789abcdef")
    LabelIndex(open_chroma(where), ENTRIES, dictionary="a" * 16)
    LabelIndex(open_chroma(where), ENTRIES, dictionary="b" * 16)
    now = module.time.time()
    monkeypatch.setattr(module.time, "time", lambda: now + 2 * DAY)
    LabelIndex(open_chroma(where), ENTRIES[:2], dictionary="b" * 16)
    assert sorted(collections(where).values()) == [0, 2, 5]


@issue_20
@pytest.mark.parametrize("damage", ["part", "foreign", "changed", "unmarked"])
def test_a_collection_that_does_not_hold_its_content_is_made_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    without_a_model(monkeypatch)
    where = str(tmp_path / "chroma")
    LabelIndex(open_chroma(where), ENTRIES, dictionary="a" * 16)
    collection = open_chroma(where).list_collections()[0]
    match damage:
        case "part":
            collection.delete(ids=["3"])
        case "foreign":
            collection.delete(ids=["3"])
            collection.upsert(ids=["77"], embeddings=Hashed().encode(["shark"]))
        case "changed":
            collection.upsert(ids=["3"], embeddings=Hashed().encode(["whale"]))
        case "unmarked":
            collection.modify(metadata={"content": "", "opened": 0})
    found = LabelIndex(open_chroma(where), ENTRIES, dictionary="a" * 16).search("shark")
    assert [match.feature for match in found][0] == 3
    assert found[0].score == pytest.approx(1.0, abs=1e-4)
    assert {match.feature for match in found} == {entry.feature for entry in ENTRIES}
    mark = open_chroma(where).get_collection(collection.name).metadata
    assert (mark["count"], mark["dictionary"], len(mark["content"])) == (5, "a" * 16, 64)
    assert mark["encoder"]


@issue_20
def test_a_fill_that_was_killed_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_a_model(monkeypatch)
    monkeypatch.setattr(module, "_BATCH", 2)
    where = str(tmp_path / "chroma")
    upsert = chromadb.Collection.upsert
    calls = []

    def killed(self: chromadb.Collection, *args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        upsert(self, *args, **kwargs)

    monkeypatch.setattr(chromadb.Collection, "upsert", killed)
    with pytest.raises(KeyboardInterrupt):
        LabelIndex(open_chroma(where), ENTRIES, own=True)
    assert list(collections(where).values()) == [2]
    index = LabelIndex(open_chroma(where), ENTRIES, own=True)
    assert list(collections(where).values()) == [5]
    assert index.search("red", limit=1)[0].feature == 20


@issue_20
def test_a_collection_that_another_process_deleted_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_a_model(monkeypatch)
    where = str(tmp_path / "chroma")
    index = LabelIndex(open_chroma(where), ENTRIES)
    before = index.search("shark")
    delete = (
        "from swiggle.atlas.index import open_chroma; import sys; c = open_chroma(sys.argv[1]); "
        "[c.delete_collection(found.name) for found in c.list_collections()]"
    )
    subprocess.run([sys.executable, "-c", delete, where], check=True)
    assert index.search("shark") == before


@issue_20
def test_labels_by_hand_find_what_an_index_of_all_labels_would(monkeypatch: pytest.MonkeyPatch) -> None:
    without_a_model(monkeypatch)
    words = [f"word{number % 300}" for number in range(1024)]
    made = [Entry(i, word, word, ("head", "body", None)[i % 3]) for i, word in enumerate(words)]
    by_hand = [Entry(i, f"mine {i}", f"word{7 * i % 310}", ("head", None)[i % 2]) for i in range(0, 900, 2)]
    index = LabelIndex(open_chroma(None), made)
    index.label_by_hand(by_hand)
    hand = {entry.feature: entry for entry in by_hand}
    fresh = LabelIndex(open_chroma(None), [hand.get(entry.feature, entry) for entry in made])
    for text in ("word3", "word301", "word12", "nothing of it"):
        for place in (None, "head", "body"):
            for limit in (1, 64):
                one, other = (found.search(text, place, limit) for found in (index, fresh))
                assert [m.score for m in one] == pytest.approx([m.score for m in other], abs=1e-5)
                sure = other[-1].score + 2e-5  # of features that are as near as the last, any may be left out
                assert [m for m in one if m.score > sure] == [m for m in other if m.score > sure]


@issue_20
def test_no_feature_is_missed_at_the_sizes_of_dictionaries(monkeypatch: pytest.MonkeyPatch) -> None:
    without_a_model(monkeypatch)
    made = [Entry(i, f"word{i}", f"word{i}", None) for i in range(2048)]
    vectors = Hashed().encode([entry.words for entry in made])
    index = LabelIndex(open_chroma(None), made, vectors, dictionary="c" * 16)
    for text in ("word5", "some other word", "and another"):
        scores = vectors @ Hashed().encode([text])[0]
        nearest = np.argsort(-scores, kind="stable")[:64].tolist()
        assert {match.feature for match in index.search(text)} == set(nearest)


@issue_20
@pytest.mark.parametrize("cache", [True, False])
def test_a_bundle_that_cannot_be_written_to_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool
) -> None:
    without_a_model(monkeypatch)
    monkeypatch.setenv("SWIGGLE_CACHE", str(tmp_path / "cache"))
    bundle = small_bundle(tmp_path / "bundle")
    (tmp_path / "bundle/index/chroma").write_text("a file where the folder would be")
    if not cache:
        (tmp_path / "cache").write_text("the same")
    found = bundle.open_index().search("pizza", limit=1)
    assert (found[0].feature, found[0].label) == (1, "pizza head")
    assert (tmp_path / "cache/chroma").is_dir() == cache


@issue_20
def test_nobody_at_the_address_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from swiggle.atlas.index import ChromaUnreachable

    with pytest.raises(ChromaUnreachable, match=r"127\.0\.0\.1:1"):
        open_chroma("http://127.0.0.1:1")
    with pytest.raises(ChromaUnreachable, match="port"):
        open_chroma("http://127.0.0.1:lots")
    assert not os.path.exists("http:")
