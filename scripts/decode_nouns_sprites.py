"""Decode the Nouns trait sprites into the one data file that the compositor reads.

    npm pack @nouns/assets@0.10.0 && tar xzf nouns-assets-0.10.0.tgz
    python scripts/decode_nouns_sprites.py package/dist/image-data.json swiggle/nouns/sprites.npz

A sprite is stored as hex bytes: a palette number that is always 0, then the top, right, bottom and left bounds
of its box, then (run length, colour index) pairs that fill the box row by row. Colour 0 is transparent. The
output holds, for every slot, `<slot>_names` (sprite file names) and `<slot>_pixels` (uint8 palette indices,
[sprites, 32, 32]), and `palette` and `backgrounds` (uint8 RGB). It is the same to the byte each time.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

SIZE = 32
SLOTS = {"body": "bodies", "accessory": "accessories", "head": "heads", "glasses": "glasses"}
BACKGROUND_NAMES = ["cool", "warm"]


def decode_sprite(encoded: str) -> np.ndarray:
    """Expand one run-length encoded sprite to palette indices, uint8 [32, 32]."""
    data = bytes.fromhex(encoded.removeprefix("0x"))
    _, top, right, bottom, left = data[:5]
    lengths = np.frombuffer(data[5::2], dtype=np.uint8)
    colours = np.frombuffer(data[6::2], dtype=np.uint8)
    canvas = np.zeros((SIZE, SIZE), dtype=np.uint8)
    width = right - left
    if width == 0:  # the empty accessory
        return canvas
    rows = np.repeat(colours, lengths).reshape(-1, width)
    if rows.shape[0] > bottom - top + 1:
        raise ValueError(f"runs fill {rows.shape[0]} rows, the box has {bottom - top + 1}")
    canvas[top : top + rows.shape[0], left:right] = rows
    return canvas


def rgb(colours: list[str]) -> np.ndarray:
    """Hex colours to uint8 [colours, 3]; the palette's empty first entry (transparent) becomes black."""
    return np.array([list(bytes.fromhex(c or "000000")) for c in colours], dtype=np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image_data", type=Path, help="dist/image-data.json of @nouns/assets")
    parser.add_argument("output", type=Path, help="the .npz file to write")
    arguments = parser.parse_args()
    source = json.loads(arguments.image_data.read_text())
    arrays: dict[str, Any] = {
        "palette": rgb(source["palette"]),
        "backgrounds": rgb(source["bgcolors"]),
        "background_names": np.array(BACKGROUND_NAMES),
    }
    for slot, key in SLOTS.items():
        sprites = source["images"][key]
        arrays[f"{slot}_names"] = np.array([sprite["filename"] for sprite in sprites])
        arrays[f"{slot}_pixels"] = np.stack([decode_sprite(sprite["data"]) for sprite in sprites])
    np.savez_compressed(arguments.output, **arrays)


if __name__ == "__main__":
    main()
