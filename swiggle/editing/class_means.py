"""Differences of class means: the mean latent of the training pictures whose captions hold one term, less that of those
whose captions hold another."""

import numpy as np

from swiggle.atlas.captioned_latents import CaptionedLatents


def class_mean_difference(captioned: CaptionedLatents, asked: int | None, shown: int, beside: int | None) -> np.ndarray:
    """The class mean of the term `asked`, or the mean of all pictures for None, less that of the term `shown`: float32
    [latent_dim].

    Of both classes, only pictures that also hold the term `beside`, so that what this does to the look of the one or
    the other is in both means alike; all of them if none of one class does.
    """
    if beside is None and asked is not None:
        return captioned.class_mean(asked) - captioned.class_mean(shown)
    new = np.arange(len(captioned.latents)) if asked is None else captioned.pictures(asked)
    old = captioned.pictures(shown)
    if beside is not None:
        holding = captioned.pictures(beside)
        both = [np.intersect1d(rows, holding, assume_unique=True) for rows in (new, old)]
        if all(map(len, both)):
            new, old = both
    return captioned.mean(new) - captioned.mean(old)


def already_there(captioned: CaptionedLatents, asked: int, shown: int) -> bool:
    """Whether the term shown is the one asked for, or, asked by a part of what captions say, a kind of it ("square red"
    of "square")."""
    if asked == shown or captioned.whole[asked]:
        return asked == shown
    return set(captioned.terms[asked].words) <= set(captioned.terms[shown].words)
