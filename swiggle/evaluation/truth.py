"""True traits of a stored split, as numbers."""

from pathlib import Path

import numpy as np

from swiggle.composition import Composition, composition_of
from swiggle.data.reading import TraitsMissing, read_traits


def composed(source: str) -> Composition:
    """The composed set that a source is. Raises `TraitsMissing` for any other."""
    if (composition := composition_of(source)) is None:
        raise TraitsMissing(f"data.source={source} is no composed set")
    return composition


def true_traits(folder: Path, composition: Composition, ids: np.ndarray | None = None) -> np.ndarray:
    """int16 [N, slots] of the pictures with `ids` in their order, or of all by ascending id. Raises `TraitsMissing`
    where they are not known."""
    named = read_traits(folder, composition.slots, ids)
    numbers = {slot: {name: value for value, name in enumerate(composition.names(slot))} for slot in composition.slots}
    columns = [[numbers[slot][name] for name in named[slot]] for slot in composition.slots]
    return np.array(columns, dtype=np.int16).T
