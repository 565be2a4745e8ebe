"""Searches that are remembered: until a label is written, and no more of them than there is room for."""

from collections.abc import Sequence
from typing import Any

import pytest

from serve.parts.searches import RememberedSearches
from swiggle.atlas.entries import Entry
from swiggle.atlas.index import Match

ENTRY = Entry(3, "red hat", "red hat", "head")


class Index:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.meanwhile: Any = None

    def search(self, words: str, place: str | None = None, limit: int = 64) -> list[Match]:
        self.asked.append(words)
        if self.meanwhile:
            self.meanwhile()
        return [Match(len(self.asked), words, place, 1.0)]

    def label_by_hand(self, entries: Sequence[Entry]) -> None:
        pass


@pytest.fixture
def index() -> Index:
    return Index()


def test_a_search_is_made_once(index: Index) -> None:
    searches = RememberedSearches(index)
    first = searches.search("hat", "head")
    assert searches.search("hat", "head") == first
    assert searches.search("hat") != first
    assert searches.search("hat", "head", 5) != first
    assert len(index.asked) == 3


def test_a_written_label_is_seen_by_the_next_search(index: Index) -> None:
    searches = RememberedSearches(index)
    for entries in ([ENTRY], []):
        searches.search("hat")
        searches.label_by_hand(entries)
        before = len(index.asked)
        searches.search("hat")
        assert len(index.asked) == before + 1


def test_a_search_that_a_label_overtook_is_not_kept(index: Index) -> None:
    searches = RememberedSearches(index)
    index.meanwhile = lambda: searches.label_by_hand([ENTRY])
    searches.search("hat")
    index.meanwhile = None
    searches.search("hat")
    assert len(index.asked) == 2


def test_the_oldest_make_room(index: Index) -> None:
    searches = RememberedSearches(index, capacity=2)
    for words in ("a", "b", "a", "c", "a", "b"):
        searches.search(words)
    assert index.asked == ["a", "b", "c", "b"]
