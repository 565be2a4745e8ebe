import numpy as np

from swiggle.data.palette import palette_of


def test_few_colours_are_kept_as_they_are(rng: np.random.Generator) -> None:
    colours = np.array([[0, 0, 0], [10, 200, 30], [255, 255, 254]], np.uint8)
    images = colours[rng.integers(3, size=(4, 8, 8))]
    assert palette_of(images, 8).tolist() == colours.tolist()


def test_frequent_colours_have_their_own_entry(rng: np.random.Generator) -> None:
    """Two close colours on most pixels are kept apart, whatever noise is around them."""
    images = rng.integers(256, size=(10, 32, 32, 3), dtype=np.uint8)
    images[:, :, :14], images[:, :, 14:28] = (213, 215, 225), (225, 215, 213)
    palette = palette_of(images, 16).astype(int)
    assert palette.shape[1] == 3
    assert len(palette) <= 16
    for colour in ((213, 215, 225), (225, 215, 213)):
        assert np.abs(palette - np.array(colour)).max(axis=1).min() <= 2


def test_the_same_pictures_have_the_same_palette(rng: np.random.Generator) -> None:
    images = rng.integers(256, size=(20, 32, 32, 3), dtype=np.uint8)
    assert np.array_equal(palette_of(images, 8), palette_of(images, 8))
