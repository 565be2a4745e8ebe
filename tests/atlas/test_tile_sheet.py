import numpy as np
import pytest

from swiggle.atlas.tile_sheet import sprite_sheet
from swiggle.data.pixels import decode_picture, encode_png


def flat(colour: tuple[int, int, int], size: int = 32) -> bytes:
    return encode_png(np.full((size, size, 3), colour, np.uint8))


def test_tiles_lie_row_by_row() -> None:
    colours = [(10 * i, 255 - 10 * i, i) for i in range(7)]
    sheet = decode_picture(sprite_sheet([flat(colour) for colour in colours], columns=3))
    assert sheet.shape == (96, 96, 3)
    for i, colour in enumerate(colours):
        row, column = divmod(i, 3)
        assert (sheet[32 * row : 32 * row + 32, 32 * column : 32 * column + 32] == colour).all()
    assert (sheet[64:, 32:] == 255).all()


def test_larger_pictures_are_reduced_and_empty_ones_stay_white() -> None:
    sheet = decode_picture(sprite_sheet([flat((1, 2, 3), 128), b"", flat((4, 5, 6))]))
    assert sheet.shape == (32, 96, 3)
    assert [sheet[7, 32 * i + 5].tolist() for i in range(3)] == [[1, 2, 3], [255, 255, 255], [4, 5, 6]]


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(ValueError, match="picture 1 of a sprite sheet"):
        sprite_sheet([flat((0, 0, 0)), b"no picture"])
    with pytest.raises(ValueError, match="needs pictures"):
        sprite_sheet([])
