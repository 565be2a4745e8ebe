"""Many small pictures in one PNG, so that a page draws thousands of thumbnails from a single request."""

from collections.abc import Sequence

import numpy as np

from swiggle.data.pixels import decode_picture, encode_png, resize

TILE = 32


def sprite_sheet(pictures: Sequence[bytes], columns: int = 64) -> bytes:
    """One PNG of 32 x 32 tiles, row by row: picture i is at column i % columns, row i // columns.

    `pictures` are square, as PNG, JPEG or WebP bytes; larger ones are reduced. Empty bytes leave a white tile, and so
    does the end of the last row. Raises ValueError for no pictures, for a width that is not positive, and, naming the
    picture, for bytes that cannot be read.
    """
    return encode_png(tiled(pictures, columns), compression=9)


def tiles_of(content: bytes) -> np.ndarray:
    """A stored sheet of tiles as uint8 [rows, columns, 32, 32, 3]."""
    sheet = decode_picture(content)
    rows, columns = sheet.shape[0] // TILE, sheet.shape[1] // TILE
    return sheet.reshape(rows, TILE, columns, TILE, 3).transpose(0, 2, 1, 3, 4)


def tiled(pictures: Sequence[bytes], columns: int = 64) -> np.ndarray:
    """The same as pixels, uint8 [rows * 32, columns * 32, 3]."""
    if not pictures or columns < 1:
        raise ValueError(f"a sprite sheet needs pictures and columns, not {len(pictures)} and {columns}")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    tiles = np.full((rows * columns, TILE, TILE, 3), 255, np.uint8)
    for number, content in enumerate(pictures):
        if content:
            try:
                tiles[number] = resize(decode_picture(content), TILE)
            except ValueError as error:
                raise ValueError(f"picture {number} of a sprite sheet: {error}") from error
    sheet = tiles.reshape(rows, columns, TILE, TILE, 3).transpose(0, 2, 1, 3, 4)
    return sheet.reshape(rows * TILE, columns * TILE, 3)
