from pathlib import Path

import chromadb
import pytest

from swiggle.atlas.hand_labels import entry_for, read_hand_labels, write_hand_labels
from swiggle.atlas.index import Entry, LabelIndex, open_chroma
from swiggle.vocabulary import Vocabulary

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
    index.put(Entry(3, "pirate ship head", "pirate ship", "head"))
    assert index.search("pirate ship")[0].feature == 3
    assert index.search("shark")[0].score < 0.9
    index.drop(3)
    assert 3 not in {m.feature for m in index.search("pirate ship")}


def test_a_filled_collection_is_used_again(tmp_path: Path) -> None:
    where = str(tmp_path / "chroma")
    LabelIndex(open_chroma(where), ENTRIES)
    LabelIndex(open_chroma(where), ENTRIES)
    assert [c.count() for c in open_chroma(where).list_collections()] == [5]
    LabelIndex(open_chroma(where), ENTRIES[:2])
    assert sorted(
        c.count() for c in chromadb.PersistentClient(where, open_chroma(where).get_settings()).list_collections()
    ) == [2, 5]


def test_hand_labels_are_kept_and_read_by_the_vocabulary(tmp_path: Path) -> None:
    assert read_hand_labels(tmp_path) == {}
    write_hand_labels(tmp_path, {7: "blåhaj hat", 2: "glow"})
    assert read_hand_labels(tmp_path) == {7: "blåhaj hat", 2: "glow"}
    nouns = Vocabulary.load("nouns")
    assert entry_for(7, "Blåhaj hat", nouns) == Entry(7, "Blåhaj hat", "blåhaj", "head")
    assert entry_for(2, "glow", nouns) == Entry(2, "glow", "glow", None)
    (tmp_path / "hand_labels.json").write_text("[]")
    with pytest.raises(ValueError, match=r"hand_labels\.json"):
        read_hand_labels(tmp_path)


def test_an_entry_of_another_process_is_passed_over(tmp_path: Path) -> None:
    where = str(tmp_path / "chroma")
    ours, theirs = (LabelIndex(open_chroma(where), ENTRIES) for _ in range(2))
    theirs.put(Entry(30, "kitten head", "kitten", "head"))
    assert theirs.search("kitten", "head")[0].feature == theirs.search("kitten")[0].feature == 30
    assert {m.feature for m in ours.search("kitten")} == {e.feature for e in ENTRIES}
