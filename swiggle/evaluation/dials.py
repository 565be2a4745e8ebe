"""Whether a feature is a dial: turned up from 0 to 2, does what it is named after show more and more?

The match score of a trait is `Composition.margins`: the squared error of its best rival minus its own, here the mean
over some held-out pictures, for in one picture another thing may hide what a dial does. A dial is monotone if strength
and score have a Spearman correlation of at least 0.9.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import spearmanr

from swiggle.composition import Composition

STRENGTHS = np.linspace(0.0, 2.0, 9)
MONOTONE = 0.9
_AT_ONCE = 8
"""Features whose pictures are decoded together."""


def named_traits(
    composition: Composition, words: Sequence[str], places: Sequence[str | None]
) -> dict[int, tuple[str, int]]:
    """The features that are labelled with the whole name of a trait: feature to slot and value."""
    values = {(slot, name): value for slot in composition.slots for value, name in enumerate(composition.names(slot))}
    found = {}
    for feature, (place, name) in enumerate(zip(places, words, strict=True)):
        if (place, name) in values:
            found[feature] = (str(place), values[str(place), name])
    return found


def dial_curves(
    composition: Composition,
    decode: Callable[[np.ndarray], np.ndarray],
    latents: np.ndarray,
    activations: np.ndarray,
    rows: np.ndarray,
    units: np.ndarray,
    named: dict[int, tuple[str, int]],
) -> dict[int, np.ndarray]:
    """Of each named feature the mean match score at each of `STRENGTHS`, float [9].

    latents [n, latent_dim] and activations [n, features] of the pictures; decoder rows [features, latent_dim]; units,
    the mean activation of each feature where active; `decode`: latents [k, latent_dim] to uint8 [k, S, S, 3].
    """
    read = np.repeat(composition.read(decode(latents)), len(STRENGTHS), axis=0)
    curves: dict[int, np.ndarray] = {}
    for slot in composition.slots:
        features = [feature for feature, (place, _) in named.items() if place == slot]
        for some in (features[start : start + _AT_ONCE] for start in range(0, len(features), _AT_ONCE)):
            change = STRENGTHS[None, None, :] * units[some, None, None] - activations[:, some].T[:, :, None]
            turned = latents[None, :, None] + change[..., None] * rows[some][:, None, None]
            values = np.repeat([named[feature][1] for feature in some], len(read))
            shown = decode(turned.reshape(-1, latents.shape[1]))
            score = composition.margins(shown, np.tile(read, (len(some), 1)), slot, values)
            curves |= dict(zip(some, score.reshape(len(some), -1, len(STRENGTHS)).mean(axis=1), strict=True))
    return curves


def monotone_share(curves: Sequence[np.ndarray], up_to: float = 2.0) -> float:
    """Share of the curves that rise with strength, up to a strength."""
    kept = up_to >= STRENGTHS
    rises = [
        len(set(curve[kept])) > 1 and spearmanr(STRENGTHS[kept], curve[kept]).statistic >= MONOTONE for curve in curves
    ]
    return float(np.mean(rises))
