"""Feature labels in Chroma, found by meaning.

Chroma runs inside this process on a folder, in memory, or as a server that replicas share (`chroma run`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.config import Settings

from swiggle.atlas.text import text_encoder

_BATCH = 1_000


@dataclass(frozen=True)
class Entry:
    """A labelled feature: its label, the words it is found by, the place they are said of."""

    feature: int
    label: str
    words: str
    place: str | None


@dataclass(frozen=True)
class Match:
    """A feature found by a query, with the cosine similarity of query and label words."""

    feature: int
    label: str
    place: str | None
    score: float


def open_chroma(location: str | None) -> ClientAPI:
    """A client for `http://host:port`, for a local folder, or in memory for None."""
    settings = Settings(anonymized_telemetry=False)
    if location is None:
        return chromadb.EphemeralClient(settings)
    if location.startswith("http://"):
        host, _, port = location.removeprefix("http://").rstrip("/").partition(":")
        return chromadb.HttpClient(host=host, port=int(port or 8000), settings=settings)
    Path(location).mkdir(parents=True, exist_ok=True)
    return chromadb.PersistentClient(location, settings)


class LabelIndex:
    """The labels of one bundle in one Chroma collection.

    Chroma is asked for the nearest ids alone. What they stand for and which of them are of a place is known here:
    Chroma would look both up in a database, which takes several times as long as the search.
    """

    def __init__(self, client: ClientAPI, entries: Sequence[Entry], embeddings: np.ndarray | None = None) -> None:
        """Open the collection of exactly these entries, filling it if it is not there yet. `embeddings` float32
        [entries, 384] of their words, worked out when not given."""
        self._entries = {str(entry.feature): entry for entry in entries}
        self._of_place: dict[str, list[str]] = {}
        content = "\n".join(f"{e.feature} {e.words} {e.place}" for e in entries)
        name = "labels-" + hashlib.sha256(content.encode()).hexdigest()[:16]
        self._collection = client.get_or_create_collection(
            name, configuration={"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 500}}
        )
        if self._collection.count() == len(entries):
            return
        vectors = text_encoder().encode([e.words for e in entries]) if embeddings is None else embeddings
        for start in range(0, len(entries), _BATCH):
            part = slice(start, start + _BATCH)
            self._write(entries[part], vectors[part])

    def put(self, entry: Entry) -> None:
        """Add or replace one feature's label; the next search sees it."""
        self._write([entry], text_encoder().encode([entry.words]))

    def drop(self, feature: int) -> None:
        """Take a feature out of the index."""
        self._collection.delete(ids=[str(feature)])
        self._entries.pop(str(feature), None)
        self._of_place.clear()

    def search(self, words: str, place: str | None = None, limit: int = 64) -> list[Match]:
        """Features whose label means about the same as `words`, best first; only those of `place` if one is given."""
        among = self._ids_of(place) if place else None
        if among == []:
            return []
        found: Any = self._collection.query(
            query_embeddings=text_encoder().encode([words]), ids=among, n_results=limit, include=["distances"]
        )
        matches = []
        for i, distance in zip(found["ids"][0], found["distances"][0], strict=True):
            if (entry := self._entries.get(i)) is not None:  # else it was written by another process
                matches.append(Match(entry.feature, entry.label, entry.place, round(1.0 - float(distance), 6)))
        return sorted(matches, key=lambda match: (-match.score, match.feature))

    def _ids_of(self, place: str) -> list[str]:
        if place not in self._of_place:
            self._of_place[place] = [i for i, entry in self._entries.items() if entry.place == place]
        return self._of_place[place]

    def _write(self, entries: Sequence[Entry], vectors: np.ndarray) -> None:
        if not entries:
            return
        self._collection.upsert(
            ids=[str(e.feature) for e in entries],
            embeddings=np.asarray(vectors, dtype=np.float32),
            documents=[e.label for e in entries],
            metadatas=[{"place": e.place or ""} for e in entries],
        )
        self._entries |= {str(e.feature): e for e in entries}
        self._of_place.clear()
