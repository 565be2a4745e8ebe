"""PNG files of enlarged pictures, quickly.

A picture enlarged by a whole number repeats every pixel and every row. Written as differences to the left neighbour,
and repeated rows as differences to the row above (filters 1 and 2 of the PNG specification, section 9), almost all
bytes are zero, which deflate packs in a third of the time that a general encoder takes.
"""

import struct
import zlib

import numpy as np

_SUB, _UP = 1, 2


def enlarged_png(picture: np.ndarray, factor: int) -> bytes:
    """uint8 [H, W, 3] to the PNG bytes of a picture of [H * factor, W * factor]; lossless."""
    height, width, _ = picture.shape
    steps = picture.copy()
    steps[:, 1:] -= picture[:, :-1]
    lines = np.zeros((height, factor, 1 + 3 * width * factor), np.uint8)
    lines[:, 0, 0], lines[:, 1:, 0] = _SUB, _UP
    lines[:, 0, 1:].reshape(height, width, factor, 3)[:, :, 0] = steps
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width * factor, height * factor, 8, 2, 0, 0, 0)
    content = packer.compress(lines.data) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
