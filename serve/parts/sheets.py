"""Pictures of features that pages show by the hundred."""

import io

import numpy as np
from PIL import Image

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.tile_sheet import TILE, tiled

COLUMNS = 64
COLOURS = 256


def feature_sheet(atlas: Atlas, kind: str) -> bytes:
    """Every feature in one PNG, 32 x 32 tiles in rows of 64: its `natural` or `one_hot` preview, or its strongest
    `example`.

    In 256 colours: previews are soft and dull, and the sheet becomes a third of the size.
    """
    if kind == "example":
        pictures = [atlas.pictures[ids[0]] if ids else b"" for ids in atlas.example_ids]
    else:
        pictures = atlas.table[kind].to_pylist()
    sheet = Image.fromarray(tiled(pictures, COLUMNS))
    stream = io.BytesIO()
    sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def footprint_sheet(footprints: np.ndarray) -> bytes:
    """Footprints [features, 32, 32] in one grey PNG, laid out like `feature_sheet`; white where a feature acts most."""
    wide = footprints.astype(np.float32)
    shares = np.sqrt(wide / np.maximum(wide.max(axis=(1, 2), keepdims=True), 1e-12))
    rows = -(-len(shares) // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, TILE, TILE), np.uint8)
    # Sixteen levels are as many as an eye tells apart in an overlay, and they compress.
    tiles[: len(shares)] = 17 * np.round(15 * shares).astype(np.uint8)
    sheet = tiles.reshape(rows, COLUMNS, TILE, TILE).transpose(0, 2, 1, 3).reshape(rows * TILE, COLUMNS * TILE)
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def footprint_picture(footprint: np.ndarray) -> bytes:
    """A footprint [32, 32] as a red PNG with transparency, opaque where the feature acts most."""
    share = footprint.astype(np.float32) / max(float(footprint.max()), 1e-12)
    rgba = np.zeros((*share.shape, 4), np.uint8)
    rgba[..., 0], rgba[..., 2] = 230, 60
    rgba[..., 3] = np.round(255 * np.sqrt(share)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(rgba).save(stream, "PNG")
    return stream.getvalue()
