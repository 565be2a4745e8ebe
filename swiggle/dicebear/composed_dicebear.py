"""DiceBear's pixel-art avatars as a composed set (`swiggle.composition`)."""

import hashlib
from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np

from swiggle.dicebear.avatar_captions import avatar_captions
from swiggle.dicebear.avatar_parts import KINDS, NOTHING, SIZE, SLOTS, load_parts
from swiggle.dicebear.avatar_phrases import REQUESTS
from swiggle.dicebear.avatar_reader import AvatarReader

_AT_ONCE = 1_024
"""Pictures that are drawn at once."""


class Avatars:
    """Avatars of ten slots, 16 x 16 pixels."""

    slots = SLOTS
    size = SIZE
    subject = "hair"
    removable = tuple(slot for slot, kind in KINDS.items() if kind.bare)
    requests = REQUESTS

    def __init__(self) -> None:
        self.parts = load_parts()

    def names(self, slot: str) -> Sequence[str]:
        return self.parts.names[slot]

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Traits int16 [count, 10]; distinct means distinct once rendered."""
        rng = np.random.default_rng(seed)
        chosen: list[np.ndarray] = []
        seen: set[bytes] = set()
        while len(chosen) < count:
            columns = [rng.choice(self.parts.count(slot), _AT_ONCE, p=self.parts.share[slot]) for slot in SLOTS]
            candidates = np.stack(columns, axis=1).astype(np.int16)
            for traits, picture in zip(candidates, self.render(candidates), strict=True):
                look = hashlib.blake2b(picture.tobytes(), digest_size=16).digest()
                if look not in seen and len(chosen) < count:
                    seen.add(look)
                    chosen.append(traits)
        return np.stack(chosen)

    def render(self, traits: np.ndarray) -> np.ndarray:
        return self.parts.render(traits)

    def read(self, pictures: np.ndarray) -> np.ndarray:
        return self._reader.read(pictures)

    def captions(self, traits: np.ndarray, seed: int) -> list[str]:
        return avatar_captions(self.parts, traits, seed)

    def nothing(self, slot: str) -> int | None:
        return self.parts.names[slot].index(NOTHING) if NOTHING in self.parts.names[slot] else None

    def same_look(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (self.render(one) == self.render(other)).all(axis=(1, 2, 3))

    def covers(self, slot: str, traits: np.ndarray) -> np.ndarray:
        kept = self.parts.keep[slot][traits[:, SLOTS.index(slot)]]
        return (kept < 1).reshape(-1, SIZE, SIZE)

    def margins(self, pictures: np.ndarray, traits: np.ndarray, slot: str, values: np.ndarray) -> np.ndarray:
        return self._reader.margins(pictures, traits, slot, values)

    @cached_property
    def _reader(self) -> AvatarReader:
        return AvatarReader(self.parts)


@cache
def composition() -> Avatars:
    """The set; its parts and what reads them are made once."""
    return Avatars()
