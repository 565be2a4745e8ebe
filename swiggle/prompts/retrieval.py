"""Which features a request means: those whose label, in the label index, means what was said."""

from dataclasses import dataclass, field

from swiggle.atlas.index import LabelIndex, Match
from swiggle.captions.vocabulary import Vocabulary, Words
from swiggle.prompts.clauses import Clause

MATCH = 0.6
"""Cosine similarity below which a label is not what was meant. Less finds more of what people say in other words, and
more that they do not mean; unknown words must change nothing."""
ALSO = 0.2
"""Labels this close to the best one might have been meant too. More offers more of them; no edit depends on it."""
LISTED = 5
"""Other labels that a plan names. More makes answers longer; no edit depends on it."""


@dataclass(frozen=True)
class Found:
    """`matched`, best first; `alternatives`, other labels that might have been meant; where nothing matched, `nearest`,
    the labels that come closest."""

    matched: list[Match] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    nearest: list[str] = field(default_factory=list)


def retrieve(index: LabelIndex, vocabulary: Vocabulary, clause: Clause) -> Found:
    """The features that a request means. One that names no place means the place of the best label, of equally good
    ones the vocabulary's usual place; or, where it asks for something in place of something else, the place of that."""
    if not clause.words:
        named = clause.place and clause.action == "replace"  # "give it a hat": which one?
        return Found(nearest=_labels(index.search(clause.text, clause.place))) if named else Found()
    place = clause.place or (_place_of(index, clause.instead_of) if clause.instead_of else None)
    listed = index.search(" ".join(clause.words), place)
    if not listed or listed[0].score < MATCH:
        return Found(nearest=_labels(listed))
    best = [match for match in listed if match.score == listed[0].score]
    where = place or next((match.place for match in best if match.place == vocabulary.default_place), best[0].place)
    matched = [match for match in best if match.place == where]
    near = [match for match in listed if match.score >= max(MATCH, listed[0].score - ALSO)]
    same = {match.label for match in matched}
    return Found(matched, [label for label in _labels(near) if label not in same])


def _place_of(index: LabelIndex, words: Words) -> str | None:
    """The place of the label that words mean; None if they mean none."""
    listed = index.search(" ".join(words), None, limit=1)
    return listed[0].place if listed and listed[0].score >= MATCH else None


def _labels(matches: list[Match]) -> list[str]:
    return list(dict.fromkeys(match.label for match in matches))
