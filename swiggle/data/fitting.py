"""Bringing pictures to the size that is trained on.

Down, each pixel becomes the mean of the area that it covers, which loses nothing else. Up, it depends on what is small:
pixel art is repeated by the largest whole number that fits and stands in the middle of a margin, so that every pixel of
it stays a square of one colour; anything else is interpolated (bicubic), for repeated pixels would give a photograph
edges that it has not.
"""

import numpy as np
from PIL import Image

from swiggle.data.pixels import resize

_COLOURS = 48
"""Colours that pixel art has at most. Of 2,000 Nouns at 32 x 32 none has more than 20, of 480 cuttings of photographs
brought to 16 x 16 or more none has fewer than 53. More would repeat the pixels of small photographs, fewer blur large
sprites."""
_SHARE = 4
"""Pixels a colour at least, so that a photograph of 8 x 8 is none (28 to 64 colours); an even picture always is."""


def is_pixel_art(picture: np.ndarray) -> bool:
    """Whether a picture uint8 [H, W, 3] has few colours."""
    pixels = picture.reshape(-1, 3).astype(np.int32) @ np.array([1, 1 << 8, 1 << 16])
    return len(np.unique(pixels)) <= max(1, min(_COLOURS, len(pixels) // _SHARE))


def fit(picture: np.ndarray, size: int) -> np.ndarray:
    """A square picture uint8 [S, S, 3] brought to [size, size, 3], or left at its own size where that is to be repeated
    a whole number of times: whoever reads it enlarges it then (`reading.enlarge`)."""
    side = picture.shape[0]
    if side >= size:
        return resize(picture, size)
    if not is_pixel_art(picture):
        return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))
    if size % side == 0:
        return picture
    repeated = resize(picture, side * (size // side))
    framed = np.empty((size, size, 3), np.uint8)
    framed[:] = _rim(picture)
    start = (size - len(repeated)) // 2
    framed[start : start + len(repeated), start : start + len(repeated)] = repeated
    return framed


def _rim(picture: np.ndarray) -> np.ndarray:
    """The commonest colour along the border of a picture: uint8 [3]."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    colours, counts = np.unique(border, axis=0, return_counts=True)
    return colours[counts.argmax()]
