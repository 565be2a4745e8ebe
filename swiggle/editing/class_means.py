"""Moves in latent space between remembered pictures."""

import numpy as np

from swiggle.atlas.captioned_latents import Memory

LEAST = 3
"""Pictures that a mean must be over."""


def move_between(memory: Memory, asked: int | None, shown: int, beside: int | None) -> np.ndarray:
    """How the mean latent of pictures whose captions hold the term `asked`, or of all for None, differs from that of
    pictures whose captions hold the term `shown`: float32 [latent_dim].

    Of both, only pictures that also hold the term `beside`, so that what this does to the look of the one or the other
    is in both means alike; all of them if too few do.
    """
    if beside is None and asked is not None:
        return memory.mean_of(asked) - memory.mean_of(shown)
    new = np.arange(len(memory.latents)) if asked is None else memory.pictures(asked)
    old = memory.pictures(shown)
    if beside is not None:
        holding = memory.pictures(beside)
        both = [np.intersect1d(rows, holding, assume_unique=True) for rows in (new, old)]
        if min(map(len, both)) >= LEAST:
            new, old = both
    return memory.mean(new) - memory.mean(old)


def already_there(memory: Memory, asked: int, shown: int) -> bool:
    """Whether what is shown is what is asked, or, asked by a part of what captions say, a kind of it ("square red" of
    "square")."""
    if asked == shown or memory.whole[asked]:
        return asked == shown
    return set(memory.terms[asked].words) <= set(memory.terms[shown].words)
