"""What a prompt asks for, and the features that it means: the same for every picture.

"give it a pizza head" -> a clause (`clauses.py`, or a language model: `endpoint_reader.py`)
                       -> the features whose label means a pizza head (`retrieval.py`): a `Request`
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import LabelIndex
from swiggle.atlas.text import text_encoder
from swiggle.captions.tokens import alike, composed, tokenise
from swiggle.prompts import grammar
from swiggle.prompts.clauses import Clause, read_clauses
from swiggle.prompts.endpoint_reader import Reader
from swiggle.prompts.retrieval import LISTED, Found, retrieve

SAME_PLACE = 0.55
"""Cosine similarity from which a word that no caption uses is another name of a place. "Goggles" and "eyeglasses" have
0.69 and 0.84 to glasses, "wallpaper" 0.64 to a background, "hat" 0.63 to a head."""
NO_OTHER = 0.1
"""By how much less it must be like any other place. "Face" has 0.59 to a body and to a head; taken for the body, a
quarter of the edits of heads failed."""


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
        clauses = self.reader(self._in_known_words(short), self.atlas.vocabulary)
        return [request for clause in clauses for request in self._requests(clause)]

    def _in_known_words(self, prompt: str) -> str:
        """The prompt with the name of a place where it calls the place by a word that no caption uses: "goggles" for
        glasses. A word that means a label more than any place stays what it is."""
        if not self.atlas.vocabulary.places:
            return prompt
        strange = {word for word in tokenise(prompt) if word.isalpha() and word not in self._known}
        meant = {word: name for word in strange if (name := self._place_called(word)) is not None}
        if not meant:
            return prompt
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(meant)))})\b", re.IGNORECASE)
        return pattern.sub(lambda found: meant.get(alike(found[0]), found[0]), prompt)

    def _place_called(self, word: str) -> str | None:
        """The name of the place that an unknown word means; None if it means none."""
        if word not in self._called:
            places, names, vectors = self._names
            likeness = vectors @ text_encoder().encode([word])[0]
            best = int(likeness.argmax())
            labels = self.index.search(word, limit=1)
            others = max(likeness[[place != places[best] for place in places]], default=0.0)
            near = likeness[best] >= max(SAME_PLACE, others + NO_OTHER)
            near = near and (not labels or likeness[best] > labels[0].score)
            self._called[word] = names[best] if near else None
        return self._called[word]

    @cached_property
    def _called(self) -> dict[str, str | None]:
        return {}

    @cached_property
    def _names(self) -> tuple[list[str], list[str], np.ndarray]:
        """The places and the words for them that are one word, and the embeddings of these."""
        listed = self.atlas.vocabulary.places.items()
        pairs = [(place, name) for place, names in listed for name in names if len(tokenise(name)) == 1]
        names = [name for _, name in pairs]
        return [place for place, _ in pairs], names, text_encoder().encode(names)

    @cached_property
    def _known(self) -> set[str]:
        """Words of captions, of the vocabulary, and of requests."""
        vocabulary = self.atlas.vocabulary
        said = {word for term in self.atlas.captioned.terms for word in term.words}
        names = {token for names in vocabulary.places.values() for name in names for token in tokenise(name)}
        return said | names | vocabulary.filler | vocabulary.nothing | grammar.STARTERS

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
