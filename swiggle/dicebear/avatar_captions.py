"""Plain-English captions for avatars.

Each of the templates names all ten traits, in its own order and words; which one an avatar gets depends on the seed.
"""

import numpy as np

from swiggle.dicebear.avatar_parts import SLOTS, Parts

TEMPLATES = (
    "a pixel portrait of a person with {skin} skin and {hair} hair, {eyes} eyes, a {mouth} mouth, {beard} beard, "
    "{glasses} glasses, {earrings} earrings, {hat} hat and a {shirt} shirt on a {background} background",
    "an avatar with a {shirt} top, {hat} cap, {hair} hair, {skin} complexion, {eyes} eyes, {glasses} spectacles, "
    "{earrings} earrings, {beard} beard, {mouth} lips, and a {background} backdrop",
    "{background} background; someone with {hair} hair, {beard} beard and {skin} skin; {mouth} mouth, {eyes} eyes; "
    "wearing {hat} hat, {glasses} eyewear, {earrings} earrings, a {shirt} shirt",
    "this person has {eyes} eyes, a {mouth} mouth, {skin} skin; the hair is {hair}; there are {earrings} earrings, "
    "{glasses} glasses, {hat} hat, {beard} beard, a {shirt} shirt, a {background} backdrop",
    "{hair} haircut, {hat} headwear, {glasses} glasses, {eyes} gaze, {mouth} mouth, {beard} whiskers, {skin} skin, "
    "{earrings} earrings, {shirt} clothes, {background} wallpaper",
    "portrait: {skin} face, {mouth} expression, {eyes} eyes, {beard} beard, {hair} hair, {hat} hat, {glasses} glasses, "
    "{earrings} earrings, {shirt} outfit, {background} background",
)


def avatar_captions(parts: Parts, traits: np.ndarray, seed: int) -> list[str]:
    """One caption for each row of traits [N, 10], its template drawn from the seed."""
    templates = np.random.default_rng([seed, 1]).integers(len(TEMPLATES), size=len(traits))
    return [
        TEMPLATES[template].format(**{slot: parts.names[slot][value] for slot, value in zip(SLOTS, row, strict=True)})
        for row, template in zip(traits, templates, strict=True)
    ]
