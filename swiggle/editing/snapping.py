"""Snapping a decoder's output to pixel art: whole pixels at native resolution, each of a colour of the palette."""

import numpy as np

from swiggle.data.pixels import resize


def native_size(pictures: np.ndarray) -> int:
    """The side at which pictures uint8 [N, S, S, 3] were drawn: S over the largest whole number by which all of them
    are enlarged."""
    side = pictures.shape[1]
    for factor in range(side, 1, -1):
        thinned = pictures[:, ::factor, ::factor]
        if side % factor == 0 and (thinned.repeat(factor, axis=1).repeat(factor, axis=2) == pictures).all():
            return side // factor
    return side


def snapped(pictures: np.ndarray, palette: np.ndarray, native: int) -> np.ndarray:
    """Pictures uint8 [N, S, S, 3], brought to `native` pixels a side by area, each pixel the nearest colour of a
    palette uint8 [colours, 3] (squared distance in RGB), and enlarged again."""
    small = np.stack([resize(picture, native) for picture in pictures]).reshape(-1, 3).astype(np.float32)
    colours = palette.astype(np.float32)
    nearest = (np.square(colours).sum(axis=1) - 2.0 * small @ colours.T).argmin(axis=1)
    crisp = palette[nearest].reshape(len(pictures), native, native, 3)
    return np.stack([resize(picture, pictures.shape[1]) for picture in crisp])
