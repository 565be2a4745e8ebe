"""Plain-English captions for composed characters.

Each of the templates names all five traits, in its own order and words; which one a character gets depends on the
seed. Nothing may read a caption back by position: the atlas finds words by statistics and by the words around them.
"""

import numpy as np

from swiggle.nouns.sprites import SLOTS, Sprites

TEMPLATES = (
    "a pixel art character with {glasses} glasses, a {head}-shaped head, a {body} body with {accessory} on the shirt, "
    "and a {background} background",
    "a noun with a {head} head wearing {glasses} glasses and a {body} shirt printed with {accessory}, in front of a "
    "{background} background",
    "{background} background: someone whose head is a {head}, in {glasses} noggles, with a {body} torso and the "
    "accessory {accessory}",
    "this character has {glasses} specs and the head of a {head}; the shirt is {body}, the print is {accessory}, "
    "the backdrop is {background}",
    "{accessory} on the shirt, a {body} shirt, {glasses} glasses, a {head} for a head, {background} backdrop",
    "{head} head, {glasses} specs, {body} body, {accessory} print, {background} background",
)


def caption(sprites: Sprites, traits: np.ndarray, template: int) -> str:
    """Describe one character. traits: int [5] in the order of `SLOTS`."""
    names = {slot: sprites.names[slot][value] for slot, value in zip(SLOTS, traits, strict=True)}
    return TEMPLATES[template].format(**names)


def captions_for(sprites: Sprites, traits: np.ndarray, seed: int) -> list[str]:
    """One caption for each row of traits [N, 5], its template drawn from the seed."""
    templates = np.random.default_rng([seed, 1]).integers(len(TEMPLATES), size=len(traits))
    return [caption(sprites, row, int(template)) for row, template in zip(traits, templates, strict=True)]
