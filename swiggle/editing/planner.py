"""From a prompt to an EditPlan, by retrieving features through their labels.

For each request the label index gives the features whose label means what was said: the *seeds* (`retrieval.py`). From
these a plan is composed for one picture (`composer.py`). Labels alone decide which features a word means, and so what
is asked for.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import LabelIndex
from swiggle.captions.tokens import alike, composed
from swiggle.editing.composer import GROUP, Composer, Picture, PromptPlan, Request
from swiggle.prompts.clauses import Clause, read_clauses
from swiggle.prompts.endpoint_reader import Reader
from swiggle.prompts.retrieval import LISTED, Found, retrieve


@dataclass
class Planner:
    """Plans edits with one atlas, its label index and the dictionary's decoder rows [features, latent_dim]."""

    atlas: Atlas
    index: LabelIndex
    rows: np.ndarray
    group: int = GROUP
    reader: Reader = read_clauses
    """What turns a prompt into clauses."""
    dictionary: str | None = None
    """The id that plans name."""

    def plan(self, prompt: str, picture: Picture | None = None) -> PromptPlan:
        """The plan for a prompt on a picture; without a picture, one that takes out what usually stands in the way."""
        return self.composer.compose(self.understand(prompt), picture)

    def understand(self, prompt: str) -> list[Request]:
        """What a prompt asks for, and the features that it means; the same for every picture."""
        clauses = self.reader(self._in_short(prompt), self.atlas.vocabulary)
        return [request for clause in clauses for request in self._requests(clause)]

    def _requests(self, clause: Clause) -> list[Request]:
        """A clause and what it means. "a shark and red glasses" reads like "square and red glasses"; where nothing is
        known by both words together, each side of the "and" is a request."""
        whole = Request(clause, self._found(clause))
        pieces = re.split(r"\band\b", clause.text)
        if whole.found.matched or clause.action != "replace" or len(pieces) == 1:
            return [whole]
        apart = [
            Request(part, self._found(part)) for piece in pieces for part in self.reader(piece, self.atlas.vocabulary)
        ]
        return apart if any(request.found.matched for request in apart) else [whole]

    def _found(self, clause: Clause) -> Found:
        return self._apart(retrieve(self.index, self.atlas.vocabulary, clause))

    def _in_short(self, prompt: str) -> str:
        """A prompt with whole labels, as a page offers them, without what a comma adds to tell a label from others of
        the same meaning: "give it banana head, upper" asks for a banana head. What "with" adds may be meant."""
        return self._added.sub(lambda label: self._meaning(label[0]), composed(prompt))

    def _apart(self, found: Found) -> Found:
        """What was found, the best of the other labels alone, without those that mean the same as what matched or as
        each other."""
        meant = {self._meaning(match.label) for match in found.matched}
        return replace(
            found,
            alternatives=self._different(found.alternatives, meant)[:LISTED],
            nearest=self._different(found.nearest, meant)[:LISTED],
        )

    def _different(self, labels: list[str], meant: set[str]) -> list[str]:
        """The first label of each meaning that is not one of `meant`."""
        others: dict[str, str] = {}
        for label in labels:
            if self._meaning(label) not in meant:
                others.setdefault(self._meaning(label), label)
        return list(others.values())

    def _meaning(self, label: str) -> str:
        return self._meanings.get(alike(label), alike(label))

    @cached_property
    def _added(self) -> re.Pattern[str]:
        labels = [label for label, meaning in self._meanings.items() if label.startswith(f"{meaning},")]
        longest_first = sorted(labels, key=lambda label: (-len(label), label))
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?!\w)", re.IGNORECASE)

    @cached_property
    def _meanings(self) -> dict[str, str]:
        """What a label says without what was added to tell it from others: "banana head, upper" -> "banana head"."""
        meanings = {}
        for label, words, place in zip(self.atlas.labels, self.atlas.words, self.atlas.places, strict=True):
            meaning = f"{words} {place}" if place else words
            if words and f"{alike(label)} ".startswith((f"{meaning} ", f"{meaning},")):
                meanings[alike(label)] = meaning
        return meanings

    @cached_property
    def composer(self) -> Composer:
        return Composer(self.atlas, self.rows, self.group, self.dictionary)
