"""What a prompt asks for, and the features that it means: the same for every picture.

"give it a pizza head" -> a clause (`clauses.py`, or a language model: `endpoint_reader.py`)
                       -> the features whose label means a pizza head (`retrieval.py`): a `Request`
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import LabelIndex
from swiggle.captions.tokens import alike, composed
from swiggle.prompts.clauses import Clause, read_clauses
from swiggle.prompts.endpoint_reader import Reader
from swiggle.prompts.retrieval import LISTED, Found, retrieve


@dataclass(frozen=True)
class Request:
    """One request of a prompt, and the features that it means."""

    clause: Clause
    found: Found

    @property
    def place(self) -> str | None:
        """The place that it is about."""
        return self.clause.place or (self.found.matched[0].place if self.found.matched else None)


@dataclass
class PromptReader:
    """Reads prompts with the labels of one atlas, their index, and what turns a prompt into clauses."""

    atlas: Atlas
    index: LabelIndex
    reader: Reader = read_clauses

    def understand(self, prompt: str) -> list[Request]:
        """The requests of a prompt, in order.

        A page offers whole labels, "give it banana head, upper": what the comma adds only tells the label from others
        of the same meaning, and is left out. What "with" adds may be meant.
        """
        short = self._told_apart.sub(lambda found: self._short.get(alike(found[0]), found[0]), composed(prompt))
        clauses = self.reader(short, self.atlas.vocabulary)
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
        """What the label index finds; of other labels the best, without those that mean the same as what matched or as
        each other."""
        found = retrieve(self.index, self.atlas.vocabulary, clause)
        meant = {self._meaning(match.label) for match in found.matched}
        return replace(
            found,
            alternatives=self._different(found.alternatives, meant)[:LISTED],
            nearest=self._different(found.nearest, meant)[:LISTED],
        )

    def _different(self, labels: Iterable[str], meant: set[str]) -> list[str]:
        """The first label of each meaning that is not one of `meant`."""
        others: dict[str, str] = {}
        for label in labels:
            if (meaning := self._meaning(label)) not in meant:
                others.setdefault(meaning, label)
        return list(others.values())

    def _meaning(self, label: str) -> str:
        return self._meanings.get(alike(label), alike(label))

    @cached_property
    def _meanings(self) -> dict[str, str]:
        return {alike(text.whole): alike(text.meaning) for text in self.atlas.label_texts}

    @cached_property
    def _short(self) -> dict[str, str]:
        """Labels that hold more than their rule says, without it."""
        return {alike(text.whole): text.rule for text in self.atlas.label_texts if text.rule != text.whole}

    @cached_property
    def _told_apart(self) -> re.Pattern[str]:
        longest_first = sorted(self._short, key=lambda label: (-len(label), label))
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?!\w)", re.IGNORECASE)
