"""Searches that were made before: the words of prompts repeat, and then neither text encoder nor Chroma is asked.

A label written by hand empties the memory, so the next search sees it.
"""

import threading
from collections.abc import Sequence

from cachetools import LRUCache

from swiggle.atlas.entries import Entry
from swiggle.atlas.index import LabelIndex, Match


class RememberedSearches(LabelIndex):
    """A `LabelIndex` with the most recently used searches remembered, for use by several threads."""

    def __init__(self, index: LabelIndex, capacity: int = 4096) -> None:
        self._index = index
        self._found = LRUCache[tuple[str, str | None, int], list[Match]](capacity)
        self._generation = 0
        self._lock = threading.Lock()

    def search(self, words: str, place: str | None = None, limit: int = 64) -> list[Match]:
        key = (words, place, limit)
        with self._lock:
            generation = self._generation
            if (found := self._found.get(key)) is not None:
                return found
        found = self._index.search(words, place, limit)
        with self._lock:
            if generation == self._generation:  # else a label was written meanwhile
                self._found[key] = found
        return found

    def label_by_hand(self, entries: Sequence[Entry]) -> None:
        self._index.label_by_hand(entries)
        with self._lock:
            self._generation += 1
            self._found.clear()
