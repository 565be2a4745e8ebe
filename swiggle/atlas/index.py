"""Feature labels in Chroma, found by meaning.

Chroma runs inside this process on a folder, in memory, or as a server that replicas share (`chroma run`). It holds the
labels that a bundle was made with, in a collection that is named after its content and never changed. Labels written
by hand lie over these in memory, so what is searched follows from the bundle and its hand labels alone: there is
nothing that a restart, a crash or another server could leave behind.
"""

import hashlib
import logging
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError
from filelock import FileLock

from swiggle.atlas.entries import Entry
from swiggle.atlas.text import text_encoder
from swiggle.errors import SwiggleError

log = logging.getLogger(__name__)
_BATCH = 1_000
_OURS = re.compile(r"labels-[0-9a-f]{16}")
_PORTS = {"http": 8000, "https": 443}
KEPT_DAYS = 7.0
"""How long a collection that nobody opened stays. A server that runs for longer fills its own again when it is gone;
the less, the sooner the collections of replaced bundles go."""


class ChromaAway(SwiggleError):
    """No Chroma server answers there, or it is no place for one; the message names it."""


@dataclass(frozen=True)
class Match:
    """A feature found by a query, with the cosine similarity of query and label words."""

    feature: int
    label: str
    place: str | None
    score: float


@dataclass(frozen=True)
class Overlay:
    """Labels by hand: entries by feature, and the unit vectors [entries, 384] of their words, in the same order."""

    entries: Mapping[int, Entry]
    vectors: np.ndarray


def open_chroma(location: str | None) -> ClientAPI:
    """A client for `http://host:port` or `https://host:port`, for a local folder, or in memory for None. Raises
    `ChromaAway` for a server that does not answer, and for any other URI."""
    settings = Settings(anonymized_telemetry=False)
    if location is None:
        return chromadb.EphemeralClient(settings)
    if "://" not in location:
        Path(location).mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(location, settings)
    try:
        parts = urlsplit(location)
        port = parts.port or _PORTS[parts.scheme]
        return chromadb.HttpClient(parts.hostname or "", port, ssl=parts.scheme == "https", settings=settings)
    except KeyError as error:
        raise ChromaAway(f"{location}: a Chroma server is named as http://host:port or https://host:port") from error
    except ValueError as error:  # what Chroma's client raises where nobody listens
        raise ChromaAway(f"{location}: {error}") from error


class LabelIndex:
    """The labels of one bundle: those it was made with in one Chroma collection, those by hand over them.

    Chroma is asked for the nearest ids alone. What they stand for and which of them are of a place is known here:
    Chroma would look both up in a database, which takes several times as long as the search.
    """

    def __init__(self, client: ClientAPI, entries: Sequence[Entry], embeddings: np.ndarray | None = None) -> None:
        """Open the collection of exactly these entries, filling it if it is not there whole. `embeddings` float32
        [entries, 384] of their words, worked out when not given."""
        self._made = {entry.feature: entry for entry in entries}
        self._hand = Overlay({}, np.zeros((0, 0), np.float32))
        self._of_place: dict[str, list[str]] = {}
        if embeddings is None:
            words = [entry.words for entry in entries]
            embeddings = text_encoder().encode(words) if words else np.zeros((0, 0), np.float32)
        self._client, self._vectors = client, embeddings
        self._collection = _filled(client, entries, embeddings)
        _drop_unused(client, self._collection.name)

    def label_by_hand(self, entries: Sequence[Entry]) -> None:
        """Put these hand labels, all there are, in place of those that were known; the next search sees them."""
        known = self._hand
        vectors = {entry.words: vector for entry, vector in zip(known.entries.values(), known.vectors, strict=True)}
        fresh = sorted({entry.words for entry in entries} - vectors.keys())
        if fresh:
            vectors |= dict(zip(fresh, text_encoder().encode(fresh), strict=True))
        found = np.array([vectors[entry.words] for entry in entries], np.float32)
        # One assignment: a search that runs meanwhile sees all of the old labels or all of the new ones.
        self._hand = Overlay({entry.feature: entry for entry in entries}, found)

    def search(self, words: str, place: str | None = None, limit: int = 64) -> list[Match]:
        """Features whose label means about the same as `words`, best first; only those of `place` if one is given."""
        hand, vector = self._hand, text_encoder().encode([words])
        matches = self._among_made(vector, place, limit + len(hand.entries.keys() & self._made.keys()))
        matches = [match for match in matches if match.feature not in hand.entries]
        if hand.entries:
            for entry, score in zip(hand.entries.values(), hand.vectors @ vector[0], strict=True):
                if place is None or entry.place == place:
                    matches.append(_match(entry, float(score)))
        return sorted(matches, key=lambda match: (-match.score, match.feature))[:limit]

    def _among_made(self, vector: np.ndarray, place: str | None, limit: int) -> list[Match]:
        """The nearest of the labels that the bundle was made with."""
        among = self._ids_of(place) if place else None
        if not self._made or among == []:
            return []
        how: dict[str, Any] = {"query_embeddings": vector, "ids": among, "include": ["distances"]}
        how["n_results"] = min(limit, len(self._made))
        try:
            found: Any = self._collection.query(**how)
        except NotFoundError:  # deleted under us, by hand or as unused
            self._collection = _filled(self._client, list(self._made.values()), self._vectors)
            found = self._collection.query(**how)
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [_match(self._made[int(i)], 1.0 - float(distance)) for i, distance in pairs]

    def _ids_of(self, place: str) -> list[str]:
        if place not in self._of_place:
            self._of_place[place] = [str(i) for i, entry in self._made.items() if entry.place == place]
        return self._of_place[place]


def open_locally(folders: Sequence[Path], entries: Sequence[Entry], embeddings: np.ndarray) -> LabelIndex:
    """The index of these entries in the first of the folders that can be used, else in memory. A lock keeps
    processes that open one folder at the same time from filling it under each other."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"), tempfile.TemporaryFile(dir=folder):
                return LabelIndex(open_chroma(str(folder)), entries, embeddings)
        except (OSError, ChromaError) as error:
            log.warning("%s cannot be used (%s); labels are indexed elsewhere", folder, error)
    return LabelIndex(open_chroma(None), entries, embeddings)


def _match(entry: Entry, score: float) -> Match:
    return Match(entry.feature, entry.label, entry.place, round(score, 6))


def _filled(client: ClientAPI, entries: Sequence[Entry], vectors: np.ndarray) -> chromadb.Collection:
    """The collection of these entries and vectors. That it is whole is recorded with it once it is; one that is not,
    because whoever filled it was stopped, is filled again. Two that fill it at once write the same."""
    content = hashlib.sha256("\n".join(f"{e.feature} {e.words} {e.place}" for e in entries).encode())
    content.update(np.ascontiguousarray(vectors, np.float32).tobytes())
    digest, size = content.hexdigest(), len(entries)
    # Marked as open from its first moment: others delete what nobody opened.
    collection = client.get_or_create_collection(
        f"labels-{digest[:16]}",
        metadata={"opened": time.time()},
        configuration={"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 500}},
    )
    known = collection.metadata or {}
    if known.get("content") != digest or collection.count() != size:
        ids = [str(entry.feature) for entry in entries]
        if strange := sorted(set(collection.get(include=[])["ids"]) - set(ids)):
            collection.delete(ids=strange)
        for start in range(0, size, _BATCH):
            part = slice(start, start + _BATCH)
            collection.upsert(
                ids=ids[part],
                embeddings=np.asarray(vectors[part], np.float32),
                documents=[entry.label for entry in entries[part]],
            )
    if known.get("content") != digest or time.time() - float(known.get("opened", 0)) > 3600:
        collection.modify(metadata={"content": digest, "entries": size, "opened": time.time()})
    return collection


def _drop_unused(client: ClientAPI, own: str) -> None:
    """Delete collections of labels that nobody has opened for `KEPT_DAYS`. Those that do not say when they were opened,
    as earlier releases made them, may belong to a server that runs: their days count from now."""
    for collection in client.list_collections():
        if not _OURS.fullmatch(collection.name) or collection.name == own:
            continue
        known = collection.metadata or {}
        with suppress(NotFoundError):  # another server deleted it just now
            if "opened" not in known:
                collection.modify(metadata={**known, "opened": time.time()})
            elif time.time() - float(known["opened"]) > KEPT_DAYS * 24 * 3600:
                client.delete_collection(collection.name)
