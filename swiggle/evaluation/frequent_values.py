"""Which values of a slot are seen often enough that a dictionary can be expected to have learnt them."""

import numpy as np

from swiggle.composition import Composition

FREQUENT_SHARE = 0.01
"""Of the pictures, from which a value counts as frequent."""


def frequent_values(composition: Composition, slot: str, traits: np.ndarray) -> np.ndarray:
    """bool [values], of traits int [N, slots]."""
    column = traits[:, composition.slots.index(slot)]
    return np.bincount(column, minlength=len(composition.names(slot))) >= FREQUENT_SHARE * len(traits)
