"""The text of a label that captions bear out, and its parts.

"tooth or molar head with red body, upper": the terms of the rule, a place each, and, after a comma, what tells the
feature from others whose rule reads the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from swiggle.captions.vocabulary import Mention, Vocabulary

NAMED = 3
"""Terms of a group that the text names; the others are counted. More make labels longer and no edit different."""


@dataclass(frozen=True)
class LabelText:
    """`whole`, as people see it; `rule`, without what tells it from others; `meaning`, what the feature is found by
    alone."""

    whole: str
    rule: str
    meaning: str


def label_text(label: str, place: str | None, rule: Sequence[Sequence[Mention]], vocabulary: Vocabulary) -> LabelText:
    """A label in parts. Labels without a rule, as those that a model has given, have one part."""
    if not rule:
        return LabelText(label, label, label)
    found_by = next((group for group in rule if group[0].place == place), rule[0])
    return LabelText(label, text_of(rule, vocabulary), text_of([found_by], vocabulary))


def text_of(groups: Sequence[Sequence[Mention]], vocabulary: Vocabulary) -> str:
    """`shark or whale head with red, rust or 4 other body`."""
    parts = []
    for group in groups:
        names = [" ".join(term.words) for term in group[:NAMED]]
        if len(group) > NAMED:
            names.append(f"{len(group) - NAMED} other")
        named = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        parts.append(at_place(named, group[0].place, vocabulary))
    return " with ".join(parts)


def at_place(words: str, place: str | None, vocabulary: Vocabulary) -> str:
    """Words and the name of the place that they are said of."""
    return f"{words} {vocabulary.place_name(place)}" if place else words
