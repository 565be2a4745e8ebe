"""True traits of a stored split, as numbers."""

from pathlib import Path

import numpy as np

from swiggle.data.reading import read_traits
from swiggle.nouns.sprites import SLOTS, Sprites


def true_traits(folder: Path, sprites: Sprites, ids: np.ndarray | None = None) -> np.ndarray:
    """int16 [N, 5], a value for each slot of `SLOTS`, of the pictures with `ids` in their order, or of all by ascending
    id. Raises `TraitsMissing` where the source has no trait columns."""
    named = read_traits(folder, ids)
    numbers = {slot: {name: value for value, name in enumerate(sprites.names[slot])} for slot in SLOTS}
    columns = [[numbers[slot][name] for name in named[slot]] for slot in SLOTS]
    return np.array(columns, dtype=np.int16).T
