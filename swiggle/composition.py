"""Composed sets: pictures that are drawn from known traits, so that what a model makes of them has an exact truth.

A set of pictures is composed where every picture shows one value of each of several *slots*, and where this can be read
back from the picture. What the project measures exactly (`swiggle/evaluation`) is written against `Composition` alone.
A set is a folder of its own, named in `SETS`; nothing else names one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Protocol

import numpy as np

SETS = {"nouns": "swiggle.nouns.composed_nouns", "dicebear": "swiggle.dicebear.composed_dicebear"}
"""The module of each composed set, by the `data.source` that it is. It has a function `composition`."""
Sentences = dict[str, tuple[str, ...]]
"""Ways to ask for a value of each slot, with `{name}` in place of the value's name."""


@dataclass(frozen=True)
class Requests:
    """What people say of a set: sentences that edits are developed with, others that they are scored with, and further
    ones for retrieval; other words for values, by slot and name; and requests for what there is not."""

    development: Sentences
    held_out: Sentences
    paraphrases: Sentences
    synonyms: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


class Composition(Protocol):
    """One composed set. Traits are int [N, slots], a value of each slot in the order of `slots`; pictures are uint8
    [N, S, S, 3] at the side `size` that they are drawn at. A slot may show nothing, or be hidden by another."""

    @property
    def slots(self) -> tuple[str, ...]:
        """In the order in which they are painted; the first lies behind all others."""

    @property
    def size(self) -> int:
        """S, the side of a picture in pixels."""

    @property
    def subject(self) -> str:
        """The slot that a picture is mainly of."""

    @property
    def removable(self) -> tuple[str, ...]:
        """The slots that a picture can do without."""

    @property
    def requests(self) -> Requests: ...

    def names(self, slot: str) -> Sequence[str]:
        """The values of a slot in words, as captions say them."""

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Traits of so many pictures that all look different."""

    def render(self, traits: np.ndarray) -> np.ndarray:
        """The pictures of traits."""

    def read(self, pictures: np.ndarray) -> np.ndarray:
        """The traits whose pictures these are, or come nearest to."""

    def captions(self, traits: np.ndarray, seed: int) -> list[str]:
        """One caption for each row of traits."""

    def nothing(self, slot: str) -> int | None:
        """The value with which a slot shows nothing; None if it always shows something."""

    def same_look(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Whether rows of traits draw one picture: bool [N]."""

    def covers(self, slot: str, traits: np.ndarray) -> np.ndarray:
        """The pixels that a slot is painted on, whatever is painted over it: bool [N, S, S]."""

    def margins(self, pictures: np.ndarray, traits: np.ndarray, slot: str, values: np.ndarray) -> np.ndarray:
        """How much better values int [N] of a slot fit pictures than their best rivals: the rival's squared error less
        their own, summed over pixels, the other slots being as in traits. Float [N]."""


@cache
def composition_of(source: str) -> Composition | None:
    """The composed set that a source of pictures is; None for any other source."""
    return import_module(SETS[source]).composition() if source in SETS else None
