import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.captioned_latents import CaptionedLatents
from swiggle.captions.vocabulary import Mention
from swiggle.editing.class_means import already_there, class_mean_difference

RED, BLUE, STRIPES, DOTS, SQUARE, SQUARE_RED = range(6)
TERMS = [
    Mention("body", ("red",)), Mention("body", ("blue",)), Mention("print", ("stripes",)), Mention("print", ("dots",)),
    Mention("glasses", ("square",)), Mention("glasses", ("square", "red")),
]  # fmt: skip


def captioned_of(latents: np.ndarray, said: np.ndarray) -> CaptionedLatents:
    whole = np.array([True, True, True, True, False, True])
    discriminant = np.zeros((latents.shape[1] + 1, 6))
    return CaptionedLatents(TERMS, latents, sparse.csc_matrix(said), np.zeros((1, 6)), discriminant, whole)


@pytest.fixture
def captioned() -> CaptionedLatents:
    """Red moves the first entry by 1, or by 3 below stripes; the prints have an entry of their own."""
    rows = [(body, pattern) for body in (RED, BLUE) for pattern in (STRIPES, DOTS) for _ in range(3)]
    latents, said = np.zeros((len(rows), 3)), np.zeros((len(rows), 6), bool)
    for row, (body, pattern) in enumerate(rows):
        said[row, [body, pattern]] = True
        latents[row, 0] = 0.0 if body == BLUE else 3.0 if pattern == STRIPES else 1.0
        latents[row, 1 if pattern == STRIPES else 2] = 1.0
    return captioned_of(latents, said)


def test_a_move_is_taken_from_pictures_with_the_same_thing_beside(captioned: CaptionedLatents) -> None:
    assert class_mean_difference(captioned, RED, BLUE, STRIPES).tolist() == [3.0, 0.0, 0.0]
    assert class_mean_difference(captioned, RED, BLUE, DOTS).tolist() == [1.0, 0.0, 0.0]
    assert class_mean_difference(captioned, RED, BLUE, None).tolist() == [2.0, 0.0, 0.0]


def test_a_thing_beside_that_is_too_rare_is_passed_over(captioned: CaptionedLatents) -> None:
    assert class_mean_difference(captioned, RED, BLUE, SQUARE_RED).tolist() == [2.0, 0.0, 0.0]


def test_what_is_there_already(captioned: CaptionedLatents) -> None:
    assert already_there(captioned, SQUARE_RED, SQUARE_RED)
    assert already_there(captioned, SQUARE, SQUARE_RED)  # a part of what captions say
    assert not already_there(captioned, RED, BLUE)
    assert not already_there(captioned, SQUARE_RED, SQUARE)
