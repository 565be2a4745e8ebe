"""The Nouns trait sprites and how a character is drawn from them."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

SLOTS = ("background", "body", "accessory", "head", "glasses")
"""Traits of a character in the order in which they are painted."""
LAYERS = SLOTS[1:]
SIZE = 32

_SPELLINGS = {"bege": "beige", "txt": "text", "deepfried": "deep fried", "chilli": "chili", "peachy": "peach"}


@dataclass(frozen=True)
class Sprites:
    """All sprites of all slots.

    `names[slot]` are plain-English names; `pixels[slot]` uint8 [values, 32, 32] palette indices with 0 transparent
    (no entry for the background); `palette` uint8 [239, 3]; `backgrounds` uint8 [2, 3].
    """

    names: dict[str, list[str]]
    pixels: dict[str, np.ndarray]
    palette: np.ndarray
    backgrounds: np.ndarray

    def count(self, slot: str) -> int:
        """How many values a slot has."""
        return len(self.names[slot])

    def render(self, traits: np.ndarray) -> np.ndarray:
        """Draw characters. traits: int [N, 5], a value for each slot of `SLOTS`; returns uint8 [N, 32, 32, 3]."""
        canvas = np.empty((len(traits), SIZE, SIZE, 3), dtype=np.uint8)
        canvas[:] = self.backgrounds[traits[:, 0]][:, None, None]
        for column, slot in enumerate(LAYERS, start=1):
            layer = self.pixels[slot][traits[:, column]]
            opaque = layer > 0
            canvas[opaque] = self.palette[layer[opaque]]
        return canvas


@cache
def load_sprites() -> Sprites:
    """The sprites that ship with the package (see `PROVENANCE.md`)."""
    with files("swiggle.nouns").joinpath("sprites.npz").open("rb") as stream, np.load(stream) as archive:
        return Sprites(
            names={slot: [plain_name(str(n)) for n in archive[f"{slot}_names"]] for slot in SLOTS},
            pixels={slot: archive[f"{slot}_pixels"] for slot in LAYERS},
            palette=archive["palette"],
            backgrounds=archive["backgrounds"],
        )


def plain_name(filename: str) -> str:
    """A sprite's file name in plain words: `accessory-txt-doom` -> `text doom`, `body-bege-crt` -> `beige crt`."""
    _slot, separator, rest = filename.partition("-")
    if not separator:
        return filename
    words = [_SPELLINGS.get(word, word) for word in rest.lower().split("-")]
    return " ".join(words).removeprefix("body ")
