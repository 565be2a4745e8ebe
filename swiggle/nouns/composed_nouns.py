"""Nouns as a composed set (`swiggle.composition`)."""

from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np

from swiggle.nouns.caption_templates import captions_for
from swiggle.nouns.phrases import REQUESTS
from swiggle.nouns.sampling import draw_traits
from swiggle.nouns.sprites import SIZE, SLOTS, load_sprites
from swiggle.nouns.trait_reader import TraitReader

NOTHING = "none"
"""The name of the sprite that paints nothing."""


class Nouns:
    """Characters of five slots, 32 x 32 pixels."""

    slots = SLOTS
    size = SIZE
    subject = "head"
    removable = ("accessory", "head", "glasses")
    requests = REQUESTS

    def __init__(self) -> None:
        self.sprites = load_sprites()

    def names(self, slot: str) -> Sequence[str]:
        return self.sprites.names[slot]

    def draw(self, count: int, seed: int) -> np.ndarray:
        return draw_traits(self.sprites, count, seed)

    def render(self, traits: np.ndarray) -> np.ndarray:
        return self.sprites.render(traits)

    def read(self, pictures: np.ndarray) -> np.ndarray:
        return self._reader.read(pictures)

    def captions(self, traits: np.ndarray, seed: int) -> list[str]:
        return captions_for(self.sprites, traits, seed)

    def nothing(self, slot: str) -> int | None:
        return self.sprites.names[slot].index(NOTHING) if NOTHING in self.sprites.names[slot] else None

    def same_look(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (self.render(one) == self.render(other)).all(axis=(1, 2, 3))

    def covers(self, slot: str, traits: np.ndarray) -> np.ndarray:
        if slot == SLOTS[0]:
            return np.ones((len(traits), SIZE, SIZE), bool)
        return self.sprites.pixels[slot][traits[:, SLOTS.index(slot)]] > 0

    def margins(self, pictures: np.ndarray, traits: np.ndarray, slot: str, values: np.ndarray) -> np.ndarray:
        return self._reader.margins(pictures, traits, slot, values)

    @cached_property
    def _reader(self) -> TraitReader:
        return TraitReader(self.sprites)


@cache
def composition() -> Nouns:
    """The set; its sprites and what reads them are made once."""
    return Nouns()
