"""Whether a feature is a dial: turned up from 0 to 2, does what it is named after show more and more?

The match score of a trait is `TraitReader.margins`: the squared error of its best rival minus its own. A dial is
monotone if strength and score have a Spearman correlation of at least 0.9.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import spearmanr

from swiggle.data.sprites import SLOTS, Sprites
from swiggle.evaluation.reader import TraitReader

STRENGTHS = np.linspace(0.0, 2.0, 9)
MONOTONE = 0.9


def named_traits(sprites: Sprites, words: Sequence[str], places: Sequence[str | None]) -> dict[int, tuple[str, int]]:
    """The features that are labelled with the whole name of a trait: feature to slot and value."""
    values = {(slot, name): value for slot in SLOTS for value, name in enumerate(sprites.names[slot])}
    found = {}
    for feature, (place, name) in enumerate(zip(places, words, strict=True)):
        if (place, name) in values:
            found[feature] = (str(place), values[str(place), name])
    return found


def monotone_share(
    reader: TraitReader,
    decode: Callable[[np.ndarray], np.ndarray],
    latents: np.ndarray,
    activations: np.ndarray,
    rows: np.ndarray,
    units: np.ndarray,
    named: dict[int, tuple[str, int]],
) -> float:
    """Share of the named features that are monotone dials, each on one picture, in turn.

    latents [n, latent_dim] and activations [n, features] of the pictures; decoder rows [features, latent_dim]; units,
    the mean activation of each feature where active; `decode`: latents [k, latent_dim] to uint8 [k, 32, 32, 3].
    """
    monotone = []
    read = reader.read(decode(latents))
    for number, (feature, (slot, value)) in enumerate(named.items()):
        picture = number % len(latents)
        change = STRENGTHS * units[feature] - activations[picture, feature]
        shown = decode(latents[picture] + change[:, None] * rows[feature])
        traits, values = np.repeat(read[picture : picture + 1], len(shown), axis=0), np.full(len(shown), value)
        score = reader.margins(shown, traits, slot, values)
        monotone.append(len(set(score)) > 1 and spearmanr(STRENGTHS, score).statistic >= MONOTONE)
    return float(np.mean(monotone))
