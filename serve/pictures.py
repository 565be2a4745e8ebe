"""Pictures on the wire: base64 in, PNG out, with the limits of the API."""

import asyncio
import base64
import binascii
import struct

import numpy as np

from serve.errors import ApiError
from serve.png import enlarged_png
from swiggle.data.pixels import PictureError, decode_picture, encode_png, resize, square

MAX_BYTES = 4 * 1024 * 1024
OUTPUT_SIZE = 128
_QUICK = 64 * 1024
"""Bytes of a picture, and pixels, up to which it is read in less time than a thread takes to start on it."""


def picture_from_bytes(content: bytes, image_size: int, param: str = "image") -> np.ndarray:
    """An uploaded file to uint8 [image_size, image_size, 3]. Raises `ApiError` 400, 413 or 415."""
    if len(content) > MAX_BYTES:
        raise ApiError(413, "image_too_large", f"an image may have {MAX_BYTES} bytes at most", param)
    if not content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
        raise ApiError(415, "unsupported_image", "an image must be PNG, JPEG or WebP", param)
    try:
        return resize(square(decode_picture(content)), image_size)
    except PictureError as error:
        raise ApiError(400, "invalid_image", str(error), param) from error


def bytes_from_text(text: str, param: str = "image") -> bytes:
    """What a data URL or plain base64 holds. Raises `ApiError` 400."""
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "invalid_image", f"not base64 ({error})", param) from error


async def received(content: bytes, image_size: int, param: str = "image") -> np.ndarray:
    """Like `picture_from_bytes`, in a thread unless reading takes less time than the way there."""
    if _is_quick(content):
        return picture_from_bytes(content, image_size, param)
    return await asyncio.to_thread(picture_from_bytes, content, image_size, param)


def _is_quick(content: bytes) -> bool:
    """Whether these are the bytes of a small PNG."""
    if len(content) > _QUICK or not content.startswith(b"\x89PNG") or len(content) < 24:
        return False
    width, height = struct.unpack(">II", content[16:24])
    return width * height <= _QUICK


def to_png(picture: np.ndarray) -> bytes:
    """uint8 [S, S, 3] to PNG bytes at 128 x 128, or at S where S is larger."""
    factor, rest = divmod(OUTPUT_SIZE, picture.shape[0])
    if factor and not rest:
        return enlarged_png(picture, factor)
    return encode_png(resize(picture, max(OUTPUT_SIZE, picture.shape[0])))


def to_base64(png: bytes) -> str:
    return base64.b64encode(png).decode()
