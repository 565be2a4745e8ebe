"""The atlas as one self-contained HTML page that opens from disk: no server, no network.

Thumbnails, pictures, strips and ablations are one sheet of 32 x 32 tiles each, so the page holds four images for
thousands of pictures.
"""

import base64
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from swiggle.atlas.tile_sheet import TILE, sprite_sheet
from swiggle.data.pixels import decode_picture, encode_webp

COLUMNS = 64


def data_url(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def lossy_sheet(tiles: Sequence[np.ndarray], quality: int) -> str:
    """Decoded pictures uint8 [32, 32, 3] as one WebP sheet: a data URL."""
    rows = -(-max(1, len(tiles)) // COLUMNS)
    canvas = np.full((rows * COLUMNS, TILE, TILE, 3), 255, np.uint8)
    if len(tiles):
        canvas[: len(tiles)] = np.stack(tiles)
    sheet = canvas.reshape(rows, COLUMNS, TILE, TILE, 3).transpose(0, 2, 1, 3, 4)
    return data_url(encode_webp(sheet.reshape(rows * TILE, COLUMNS * TILE, 3), quality), "webp")


def exact_sheet(pictures: Sequence[bytes]) -> str:
    """Stored pictures as one PNG sheet of `COLUMNS` tiles a row, as they are: a data URL."""
    blank = [b""] * max(0, COLUMNS - len(pictures))
    return data_url(sprite_sheet([*pictures, *blank], COLUMNS), "png")


def tiles_of(content: bytes) -> np.ndarray:
    """A stored sheet of tiles as uint8 [rows, columns, 32, 32, 3]."""
    sheet = decode_picture(content)
    rows, columns = sheet.shape[0] // TILE, sheet.shape[1] // TILE
    return sheet.reshape(rows, TILE, columns, TILE, 3).transpose(0, 2, 1, 3, 4)


def write_page(data: dict[str, Any], sheets: dict[str, str], path: Path) -> None:
    """`data` as the page's script reads it; `sheets` data URLs for previews, examples, strips and ablations."""
    page = resources.files("swiggle.atlas").joinpath("page.html").read_text(encoding="utf-8")
    for name, url in sheets.items():
        page = page.replace(f"/*{name.upper()}*/", url)
    # "</" would end the script element that the data stands in.
    page = page.replace("/*DATA*/null", json.dumps(data, separators=(",", ":")).replace("</", "<\\/"))
    path.write_text(page, encoding="utf-8")
