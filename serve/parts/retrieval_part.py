"""The part of the graph that reads prompts, as a plain class. Deployments and the fused replica run exactly this."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import httpx
from chromadb.errors import ChromaError

from serve.parts.searches import RememberedSearches
from serve.runtime.api_errors import ApiError, unavailable
from swiggle.atlas.entries import hand_entries
from swiggle.atlas.hand_labels import HandLabels, LabelConflict, LabelError, LabelsReadOnly
from swiggle.atlas.index import ChromaAway, Match
from swiggle.bundle import Bundle
from swiggle.editing.planner import Planner
from swiggle.prompts.understanding import Request

log = logging.getLogger("ray.serve.swiggle")
_ASK_AGAIN = 1.0
"""Seconds after which a Chroma that did not answer is asked again."""
_AWAY = (ChromaAway, ChromaError, httpx.TransportError)
"""What says that Chroma does not answer."""


class RetrievalPart:
    """Prompts to what they ask for, words to features; holds the text encoder, Chroma and the hand labels.

    Hand labels are what their file says: other servers, and `jobs.labels`, write it too, so every call looks whether it
    changed. While it is damaged, what it said before holds. Where Chroma does not answer, calls that need it raise
    `ApiError` 503; it is asked again a second later.
    """

    def __init__(self, bundle: Bundle, chroma: str | None = None) -> None:
        self.atlas = bundle.atlas
        self.bundle = bundle
        self.chroma = chroma
        self._file = bundle.hand_labels
        self._seen = self._file.state()
        self._by_hand = self._file.read()
        self._planner: Planner | None = None
        self._lost_at = -_ASK_AGAIN
        self._opening = threading.Lock()
        self._reading = threading.Lock()
        self._turn = threading.Lock()  # threads that search at the same time get into each other's way

    def understand(self, prompt: str) -> list[Request]:
        """What a prompt asks for, and the features that it means."""
        self.labels()
        with self._turn, self._asking() as planner:
            return planner.understand(prompt)

    def warm_up(self) -> None:
        """Understand a prompt, so that the first need not wait for the text encoder and Chroma to be loaded."""
        with suppress(ApiError):  # Chroma may come later
            self.understand("give it a red hat")

    def search(self, query: str, limit: int) -> list[Match]:
        """Features by meaning; words for a place in the query keep the search to it."""
        vocabulary = self.atlas.vocabulary
        words = [word for mention in vocabulary.mentions(query) for word in mention.words]
        places = vocabulary.named_places(query)
        self.labels()
        with self._turn, self._asking() as planner:
            return planner.index.search(" ".join(words) or query, places[-1] if places and words else None, limit)

    def labels(self) -> HandLabels:
        """The labels by hand."""
        with self._reading:
            state = self._file.state()
            if state != self._seen:
                self._seen = state
                try:
                    self._by_hand = self._file.read()
                except LabelError as error:
                    log.error("the hand labels of before stay in use: %s", error)
                else:
                    self._lay_over()
            return self._by_hand

    def put_labels(self, labels: dict[int, str | None], seen: int | None = None) -> HandLabels:
        """Set or take back hand labels; the next search sees them. Returns all hand labels. Raises `ApiError` 409 where
        one of them was changed since revision `seen`, 403 where the bundle cannot be written to, 503 where their file
        is damaged or others do not stop writing it."""
        try:
            self._file.change(labels, seen)
        except LabelConflict as conflict:
            raise ApiError(409, "conflict", str(conflict), "revision") from conflict
        except LabelsReadOnly as error:
            raise ApiError(403, "labels_read_only", str(error)) from error
        except LabelError as error:
            raise unavailable("labels_unavailable", str(error)) from error
        return self.labels()

    def _lay_over(self) -> None:
        """Let searches see the labels by hand."""
        if (planner := self._planner) is not None:  # another thread may find Chroma gone meanwhile
            planner.index.label_by_hand(hand_entries(self._by_hand.labels, self.atlas.vocabulary))

    @contextmanager
    def _asking(self) -> Iterator[Planner]:
        """The planner, as long as Chroma answers."""
        try:
            yield self._planner or self._open()
        except _AWAY as error:
            self._lost(error)

    def _open(self) -> Planner:
        with self._opening:
            if self._planner is None:
                if time.monotonic() - self._lost_at < _ASK_AGAIN:
                    raise unavailable("retrieval_unavailable", self._reason())
                try:
                    index = RememberedSearches(self.bundle.open_index(self.chroma, by_hand={}))
                except _AWAY as error:
                    self._lost(error)
                with self._reading:  # labels that are written meanwhile come after
                    self._planner = self.bundle.planner_with(index)
                    self._lay_over()
            return self._planner

    def _lost(self, error: Exception) -> NoReturn:
        log.warning("Chroma was lost: %r", error)
        self._planner, self._lost_at = None, time.monotonic()
        raise unavailable("retrieval_unavailable", self._reason()) from error

    def _reason(self) -> str:
        where = f"the Chroma server at {self.chroma}" if self.chroma else "Chroma"
        return f"{where} does not answer, so prompts and searches have to wait; plans and sliders work"
