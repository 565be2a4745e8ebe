"""Composed Nouns characters: distinct pictures with captions and their true traits, repeatable from a seed."""

import hashlib
from collections.abc import Iterator

import numpy as np

from swiggle.nouns.sprites import SLOTS, Sprites


def draw_traits(sprites: Sprites, count: int, seed: int) -> np.ndarray:
    """Traits of `count` characters that all look different, int16 [count, 5], uniform over each slot's values.

    Distinct means distinct once rendered: some shirts hide the body, so different traits can draw one picture.
    """
    rng = np.random.default_rng(seed)
    sizes = [sprites.count(slot) for slot in SLOTS]
    chosen: list[np.ndarray] = []
    seen: set[bytes] = set()
    while len(chosen) < count:
        candidates = np.stack([rng.integers(size, size=count) for size in sizes], axis=1).astype(np.int16)
        for traits, picture in zip(candidates, rendered(sprites, candidates), strict=True):
            look = hashlib.blake2b(picture.tobytes(), digest_size=16).digest()
            if look not in seen and len(chosen) < count:
                seen.add(look)
                chosen.append(traits)
    return np.stack(chosen)


def rendered(sprites: Sprites, traits: np.ndarray) -> Iterator[np.ndarray]:
    """The pictures of traits [N, 5] one after the other, uint8 [32, 32, 3], without all of them in memory at once."""
    for start in range(0, len(traits), 1024):
        yield from sprites.render(traits[start : start + 1024])
