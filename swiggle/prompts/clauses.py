"""Reading a prompt: what is asked, clause by clause.

"give it a pizza head, and less red on the shirt"   -> replace(pizza, head), lower(red, accessory)
"swap the shark for a robot without the glasses"    -> replace(robot, in place of shark), remove(glasses)
"""

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from swiggle.captions.tokens import alike, tokenise
from swiggle.captions.vocabulary import Mention, Vocabulary, Words
from swiggle.prompts import grammar

Action = Literal["replace", "raise", "lower", "remove"]

_SAID_OF_ACTION = (
    grammar.STOP_WORDS | grammar.SMALL_WORDS | grammar.REMOVE | grammar.LOWER | grammar.RAISE | grammar.AMOUNTS.keys()
)


@dataclass(frozen=True)
class Clause:
    """One request: what to do with which words, said of which place; `amount` scales more and less. `instead_of` are
    the words for what a replacement is to take the place of."""

    text: str
    action: Action
    words: Words
    place: str | None
    amount: float = 1.0
    instead_of: Words = ()
    note: str = field(default="", compare=False)
    """What whoever read the prompt could not do."""


@dataclass(frozen=True)
class _Part:
    """A piece of a prompt and what it asks to do; None asks to leave something alone."""

    text: str
    action: Action | None


def read_clauses(prompt: str, vocabulary: Vocabulary) -> list[Clause]:
    """The requests of a prompt, in order; parts without content words ask for nothing."""
    text = " ".join(alike(prompt).split())
    return [clause for sentence in grammar.END.split(text) for clause in _clauses(sentence, vocabulary)]


def _clauses(sentence: str, vocabulary: Vocabulary) -> list[Clause]:
    parts = _parts(sentence, vocabulary)
    clauses = [clause for part in parts if part.action for clause in _read(part, vocabulary)]
    if clauses:
        return clauses
    # "give it a hat" asks for something, but not for what.
    named = {place: part.text for part in parts if part.action for place in vocabulary.named_places(part.text)}
    return [Clause(text, "replace", (), place) for place, text in named.items()]


def _parts(sentence: str, vocabulary: Vocabulary) -> list[_Part]:
    found: list[_Part] = []
    sentence = grammar.IN_PLACE_OF_FIRST.sub(r"\2 instead of \1", sentence)
    phrases = [phrase for piece in grammar.BREAK.split(sentence) for phrase in _phrases(piece, vocabulary)]
    for half in [half for phrase in phrases for half in _halves(phrase, vocabulary)]:
        action = _action(half)
        # "remove the glasses and the hat": what is said of the one is meant of the other too.
        if found and action == "replace" and found[-1].action != "replace" and _continues(half, vocabulary):
            action = found[-1].action
        found.append(_Part(half, action))
    return found


def _phrases(piece: str, vocabulary: Vocabulary) -> list[str]:
    """What stands beside something of no named place is a phrase of its own: "a shark with red glasses" is two,
    "stripes on the shirt" and "replace the shark with a red hat" are one."""
    if _action(piece) != "replace":
        return [piece]
    for match in grammar.BESIDE.finditer(piece):
        left, right = piece[: match.start()], piece[match.end() :]
        half_a_pair = grammar.PAIR_BEGINS.search(left) and not any(pair.search(left) for pair in grammar.PAIRS)
        if half_a_pair or not _content(left, vocabulary) or vocabulary.named_places(left):
            continue
        if vocabulary.named_places(right) and (match[0] in ("with", "wearing") or _content(right, vocabulary)):
            return [left, *_phrases(right, vocabulary)]
    return [piece]


def _halves(piece: str, vocabulary: Vocabulary) -> list[str]:
    """The parts between "and": "stripes and checks" is one; "a hat and a scarf" and "a shark head and red glasses" are
    two."""
    halves: list[str] = []
    for half in re.split(r"\band\b", piece):
        held = halves[-1] if halves else ""
        starts = (tokenise(half) or [""])[0] in grammar.STARTERS
        ours, theirs = vocabulary.named_places(held), vocabulary.named_places(half)
        if held.strip() and not (starts or (ours and theirs and set(ours) != set(theirs))):
            halves[-1] = f"{held.strip()} and {half.strip()}"
        else:
            halves.append(half)
    return [half.strip() for half in halves if half.strip()]


def _continues(part: str, vocabulary: Vocabulary) -> bool:
    """Whether a part goes on with what the one before it asked for: "the hat", "glasses"."""
    tokens = tokenise(part) or [""]
    return tokens[0] in grammar.DEFINITE or (bool(vocabulary.named_places(part)) and not vocabulary.mentions(part))


def _action(part: str) -> Action | None:
    said = set(tokenise(part))
    if grammar.UNWANTED.search(part):
        return "remove"
    if grammar.KEEP.search(part) or grammar.NEVER.search(part):
        return None
    if grammar.NOT_SO.search(part) or grammar.LESS.search(part) or said & grammar.LOWER:
        return "lower"
    if grammar.NOT.search(part) or said & grammar.REMOVE:
        return "remove"
    if grammar.MORE.search(part) or said & grammar.RAISE or said & grammar.COMPARATIVES.keys():
        return "raise"
    return "replace"


def _read(part: _Part, vocabulary: Vocabulary) -> list[Clause]:
    """The requests of a part: one for each place that content words are said of."""
    assert part.action is not None
    wanted, unwanted = _pair(part.text) if part.action == "replace" else (part.text, "")
    mentions = _content(wanted, vocabulary)
    if not mentions:
        wanted, unwanted = part.text, ""
        mentions = _content(wanted, vocabulary)
    said = set(tokenise(part.text))
    amount = next((times for word, times in grammar.AMOUNTS.items() if word in said), 1.0)
    old = tuple(word for mention in _content(unwanted, vocabulary) for word in mention.words)
    named = next(filter(None, map(vocabulary.named_places, (wanted, unwanted, part.text))), [])
    if not mentions:
        if not named or part.action == "replace":
            return []
        return [Clause(part.text, part.action, (), place, amount) for place in dict.fromkeys(named)]
    by_place: dict[str | None, list[str]] = {}
    for mention in mentions:
        by_place.setdefault(mention.place or (named[-1] if named else None), []).extend(mention.words)
    clauses = [Clause(part.text, part.action, tuple(words), place, amount) for place, words in by_place.items()]
    return [replace(clauses[0], instead_of=old), *clauses[1:]]


def _pair(part: str) -> tuple[str, str]:
    """What a part wants, and what that is to take the place of: "swap the shark for a pizza" wants a pizza."""
    for pattern in grammar.PAIRS:
        if (match := pattern.search(part)) is not None:
            return match["new"], match["old"]
    return part, ""


def _content(text: str, vocabulary: Vocabulary) -> list[Mention]:
    """The mentions of a text without the words that say what to do; comparatives as the colour that they compare."""
    kept = [
        Mention(
            mention.place,
            tuple(grammar.COMPARATIVES.get(word, word) for word in mention.words if word not in _SAID_OF_ACTION),
        )
        for mention in vocabulary.mentions(text)
    ]
    return [mention for mention in kept if mention.words]
