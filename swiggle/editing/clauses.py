"""Reading a prompt: what is asked, clause by clause.

"give it a pizza head, and less red on the shirt" -> replace(pizza, head), lower(red, accessory)
"""

import re
from dataclasses import dataclass
from typing import Literal

from swiggle.vocabulary import Vocabulary, Words, tokenise

Action = Literal["replace", "raise", "lower", "remove"]

_REMOVE = {"remove", "without", "no", "lose", "drop", "delete", "off", "erase"}
_LOWER = {"less", "fewer", "reduce", "weaker", "lower", "tone"}
_RAISE = {"more", "stronger", "increase", "boost", "extra"}
_SLIGHTLY = {"bit", "little", "slightly", "somewhat"}
_STRONGLY = {"much", "lot", "lots", "far", "way", "strongly"}
_VERBS = {
    "give", "make", "put", "add", "turn", "change", "set", "wear", "want", "use", "let", "get", "take", "swap", "into",
    "try", "become", "becomes", "replace", "show", "keep", "down", "out", "look", "like", "him", "her", "them", "he",
    "she", "me", "my", "i", "can", "you", "could", "would", "should", "his", "their", "from", "instead", "so",
}  # fmt: skip
_STARTERS = _REMOVE | _LOWER | _RAISE | _VERBS | {"a", "an", "the"}
_BREAK = re.compile(r"[,;.!?]+|\bthen\b|\bbut\b|\balso\b")


@dataclass(frozen=True)
class Clause:
    """One request: what to do with which words, said of which place; `amount` scales more and less."""

    text: str
    action: Action
    words: Words
    place: str | None
    amount: float = 1.0


def read_clauses(prompt: str, vocabulary: Vocabulary) -> list[Clause]:
    """The requests of a prompt, in order; parts without content words ask for nothing."""
    return [clause for part in _parts(prompt, vocabulary) if (clause := _read(part, vocabulary)) is not None]


def _parts(prompt: str, vocabulary: Vocabulary) -> list[str]:
    parts: list[str] = []
    for piece in _BREAK.split(prompt.lower()):
        held = ""
        for half in re.split(r"\band\b", piece):
            # "stripes and checks" is one request; "a hat and a scarf" and "a shark head and red glasses" are two.
            own = held and (
                (tokenise(half) or [""])[0] in _STARTERS
                or (vocabulary.named_places(held) and vocabulary.named_places(half))
            )
            if own:
                parts.append(held)
                held = half
            else:
                held = f"{held} and {half}" if held else half
        parts.append(held)
    return [part.strip() for part in parts if part.strip()]


def _read(part: str, vocabulary: Vocabulary) -> Clause | None:
    tokens = tokenise(part)
    said = set(tokens)
    action: Action = "replace"
    if said & _REMOVE:
        action = "remove"
    elif said & _LOWER:
        action = "lower"
    elif said & _RAISE:
        action = "raise"
    amount = 0.5 if said & _SLIGHTLY else 2.0 if said & _STRONGLY else 1.0
    skip = _VERBS | _REMOVE | _LOWER | _RAISE | _SLIGHTLY | _STRONGLY
    words: list[str] = []
    for mention in vocabulary.mentions(part):
        words += [word for word in mention.words if word not in skip]
    places = vocabulary.named_places(part)
    if not words and not (places and action in ("remove", "lower", "raise")):
        return None
    return Clause(part, action, tuple(words), places[-1] if places else None, amount)
