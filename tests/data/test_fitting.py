import numpy as np
import pytest
from PIL import Image

from swiggle.composition import composition_of
from swiggle.data.fitting import fit, is_pixel_art
from swiggle.data.pixels import resize


def sprite(side: int, rng: np.random.Generator) -> np.ndarray:
    """Four colours, and a rim of one."""
    picture = rng.choice(np.array([[9, 9, 9], [200, 0, 0], [0, 200, 0], [0, 0, 200]], np.uint8), (side, side))
    picture[[0, -1]] = picture[:, [0, -1]] = 240
    return picture


def photograph(side: int) -> np.ndarray:
    across, down = np.meshgrid(np.linspace(0, 255, side), np.linspace(0, 255, side))
    return np.stack([across, down, (across + down) / 2], axis=-1).astype(np.uint8)


def test_pixel_art_is_told_by_its_colours(rng: np.random.Generator) -> None:
    nouns = composition_of("nouns")
    assert nouns is not None
    assert all(is_pixel_art(picture) for picture in nouns.render(nouns.draw(20, 0)))
    assert is_pixel_art(np.zeros((1, 1, 3), np.uint8))
    assert not is_pixel_art(photograph(8))
    assert not is_pixel_art(photograph(32))
    colours = np.arange(64 * 64).reshape(64, 64) % 49  # one more than pixel art has
    assert not is_pixel_art(np.stack([colours] * 3, axis=-1).astype(np.uint8))


def test_pixel_art_stays_crisp(rng: np.random.Generator) -> None:
    picture = sprite(16, rng)
    np.testing.assert_array_equal(fit(picture, 32), picture)  # repeated whole by whoever reads it
    framed = fit(picture, 40)
    np.testing.assert_array_equal(framed[4:36, 4:36], resize(picture, 32))
    framed[4:36, 4:36] = 240
    assert (framed == 240).all()


@pytest.mark.parametrize("size", [32, 40])
def test_photographs_are_interpolated_up(size: int) -> None:
    made = fit(photograph(16), size)
    assert made.shape == (size, size, 3)
    np.testing.assert_array_equal(
        made, np.asarray(Image.fromarray(photograph(16)).resize((size, size), Image.Resampling.BICUBIC))
    )
    assert len(np.unique(made[:, size // 2, 1])) > 20  # no steps


def test_everything_is_brought_down_by_area(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fit(picture, 32), resize(picture, 32))
    assert fit(picture, 64) is picture
