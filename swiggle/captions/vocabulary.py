"""Finding in a text what is said, and about which place of the picture.

A vocabulary names the places ("head: head, hat, face") and the words without content. It is one small file for a
data set, knows no trait, and may be empty: then every word belongs to no place.
"""

from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from swiggle.captions.tokens import alike, composed, tokenise
from swiggle.errors import SwiggleError

SUBJECT = "picture"
_LONGEST_SUBJECT = 40
_PUNCTUATION = set(",;:.!?")
AUTO = "auto"
"""The name of no vocabulary: the run's own, its set's, or one proposed from captions."""
_COMMENTS = {
    "places": "Places of a picture, and the words for each. Expressions of several words win over shorter ones.",
    "default_place": "Where a request belongs that names no place, of equally good ones; null for none.",
    "filler": "Words that carry no content of their own, in captions and prompts.",
    "nothing": "Words with which captions say that there is nothing in a place.",
}
_CROSSING = 3
"""How many words of distance a comma is worth."""

Words = tuple[str, ...]


class VocabularyError(SwiggleError, ValueError):
    """A vocabulary that cannot be used; the message names the file and the key at fault."""


@dataclass(frozen=True)
class Mention:
    """Content words that stand together, and the place they are said of."""

    place: str | None
    words: Words


@dataclass(frozen=True)
class Vocabulary:
    places: dict[str, list[str]] = field(default_factory=dict)
    default_place: str | None = None
    filler: frozenset[str] = frozenset()
    nothing: frozenset[str] = frozenset()
    """Words with which captions say that there is nothing in a place."""
    subject: str = SUBJECT
    """What one picture shows, in a word or two: what the page speaks of."""

    @classmethod
    def load(cls, name: str) -> "Vocabulary":
        """A vocabulary that ships with the package, by name, or any other, by path. Raises `VocabularyError`."""
        try:
            text = _shipped(name).read_text() if is_shipped(name) else Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise VocabularyError(f"atlas.vocabulary: {name}: {error}") from error
        return cls.parse(text, name)

    @classmethod
    def parse(cls, text: str, name: str) -> "Vocabulary":
        """From the text of a YAML file, which errors call by `name`. Raises `VocabularyError`."""
        try:
            return cls.from_dict(yaml.safe_load(text))
        except (yaml.YAMLError, VocabularyError) as error:
            raise VocabularyError(f"atlas.vocabulary: {name}: {error}") from error

    @classmethod
    def from_dict(cls, tree: Any) -> "Vocabulary":
        """From what the YAML file holds. Raises `VocabularyError` naming the key at fault."""
        if not isinstance(tree, dict) or not isinstance(tree.get("places", {}), dict):
            raise VocabularyError("places: expected a mapping of places to lists of words")
        places = {composed(str(place)): _listed(words, str(place)) for place, words in tree.get("places", {}).items()}
        for place, words in places.items():
            if empty := [word for word in words if not tokenise(word)]:
                raise VocabularyError(f"places: {place}: {empty[0]!r} holds no word")
        filler, nothing = (_listed(tree.get(name, []), name) for name in ("filler", "nothing"))
        default = tree.get("default_place")
        return cls(
            places,
            None if default is None else composed(str(default)),
            frozenset(token for word in filler for token in tokenise(word)),
            frozenset(map(alike, nothing)),
            _subject(tree.get("subject", SUBJECT)),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "places": self.places,
            "default_place": self.default_place,
            "filler": sorted(self.filler),
            "nothing": sorted(self.nothing),
            "subject": self.subject,
        }

    def to_yaml(self) -> str:
        """The text of a YAML file with what each part is for, to be changed by a person."""
        tree = self.to_dict()
        parts = []
        for key, comment in _COMMENTS.items():
            flow = None if isinstance(tree[key], dict | list) else False
            value = yaml.safe_dump({key: tree[key]}, default_flow_style=flow, allow_unicode=True, width=110)
            parts.append(f"# {comment}\n{value}")
        return "".join(parts)

    def place_name(self, place: str) -> str:
        """The word that names a place in a label."""
        return self.places[place][0]

    def mentions(self, text: str) -> list[Mention]:
        """Every run of content words in a text, each with the place whose words stand nearest to it.

        A place's words count as nearer the fewer words and, much more, the fewer punctuation marks lie between; of two
        equally near ones the later is meant ("red glasses").
        """
        tokens = tokenise(text)
        spans = self._place_spans(tokens)
        taken = {i for start, end, _ in spans for i in range(start, end)}
        found: list[Mention] = []
        start = 0
        for i in range(len(tokens) + 1):
            content = i < len(tokens) and i not in taken and not self._empty(tokens[i])
            if content:
                continue
            if i > start:
                found.append(Mention(self._nearest(tokens, spans, start, i), tuple(tokens[start:i])))
            start = i + 1
        return found

    def named_places(self, text: str) -> list[str]:
        """The places that a text names, in order."""
        return [place for _, _, place in self._place_spans(tokenise(text))]

    @cached_property
    def _expressions(self) -> dict[str, list[tuple[Words, str]]]:
        """The words for places by their first token, longer expressions first."""
        found: dict[str, list[tuple[Words, str]]] = {}
        for place, listed in self.places.items():
            for words in listed:
                tokens = tuple(tokenise(words))
                found.setdefault(tokens[0], []).append((tokens, place))
        return {token: sorted(pairs, key=lambda pair: -len(pair[0])) for token, pairs in found.items()}

    def _empty(self, token: str) -> bool:
        return token in _PUNCTUATION or token in self.filler

    def _place_spans(self, tokens: list[str]) -> list[tuple[int, int, str]]:
        spans: list[tuple[int, int, str]] = []
        i = 0
        while i < len(tokens):
            for words, place in self._expressions.get(tokens[i], ()):
                if tuple(tokens[i : i + len(words)]) == words:
                    spans.append((i, i + len(words), place))
                    i += len(words)
                    break
            else:
                i += 1
        return spans

    def _nearest(self, tokens: list[str], spans: list[tuple[int, int, str]], start: int, end: int) -> str | None:
        def distance(span: tuple[int, int, str]) -> tuple[int, int]:
            after = span[0] >= end
            between = tokens[end : span[0]] if after else tokens[span[1] : start]
            # A colon binds: "hair: long, eyes: blue".
            apart = _PUNCTUATION - {":"}
            return sum(_CROSSING if token in apart else 1 for token in between), 0 if after else 1

        return min(spans, key=distance)[2] if spans else None


def _shipped(name: str) -> Traversable:
    return files("swiggle").joinpath(name, "vocabulary.yaml")


def is_shipped(name: str) -> bool:
    """Whether a vocabulary of this name ships with the package; any other name is a path."""
    return name.isidentifier() and _shipped(name).is_file()


def _listed(words: Any, name: str) -> list[str]:
    if not isinstance(words, list):
        raise VocabularyError(f"{name}: expected a list of words, not {words!r}")
    return [composed(str(word)) for word in words]


def _subject(word: Any) -> str:
    if not isinstance(word, str) or not word.strip() or len(word) > _LONGEST_SUBJECT:
        raise VocabularyError(f"subject: expected a word or two for what a picture shows, not {word!r}")
    return composed(word.strip())
