from types import SimpleNamespace

import numpy as np
import pytest

from swiggle.editing.footprints import Footprints

HAT, FACE, SHIRT, PRINT, SKY, UNNAMED = range(6)
PLACES = ["head", "head", "body", "print", "sky", None]


class Features(SimpleNamespace):
    """As much of an atlas as is asked for."""

    def __len__(self) -> int:
        return len(self.places)


@pytest.fixture
def where() -> Footprints:
    footprint = np.zeros((6, 32, 32), np.float16)
    footprint[HAT, :3], footprint[FACE, 3:7], footprint[SHIRT, 16:], footprint[PRINT, 16:28] = 1, 1, 1, 1
    footprint[SKY] = 1  # lies behind everything: the shirt is its nearest, but the print is the shirt's
    footprint[UNNAMED, 20:] = 1
    return Footprints(Features(places=PLACES, footprint=footprint, confidence=np.ones(6), density=np.ones(6)))


def test_places_lie_on_each_other_only_mutually(where: Footprints) -> None:
    assert where.on_each_other() == [("body", "print")]
    assert [where.beside(place) for place in ("body", "print", "head", "sky", None)] == [
        "print",
        "body",
        None,
        None,
        None,
    ]


def test_who_acts_where(where: Footprints) -> None:
    assert np.flatnonzero(where.acting("body", "print")).tolist() == [SHIRT, PRINT, UNNAMED]
    assert where.acting(None, None).all()
    assert np.flatnonzero(where.competing([FACE])).tolist() == [HAT, FACE]


def test_masks_cover_the_cells_in_which_features_act(where: Footprints) -> None:
    mask = where.mask([HAT, FACE])
    assert mask == [[1.0] * 8] * 2 + [[0.0] * 8] * 6
    assert where.mask([SKY]) is None
    assert where.mask([]) is None
