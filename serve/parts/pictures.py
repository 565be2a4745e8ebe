"""Pictures on the wire: base64 in, PNG out, with the limits of the API."""

import asyncio
import base64
import binascii
import io
import struct
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image

from serve.parts.png import enlarged_png
from serve.runtime.api_errors import ApiError
from swiggle.data.fitting import fit
from swiggle.data.pixels import FORMATS, PictureError, decode_upload, encode_png, resize

MAX_PICTURE_BYTES = 25 * 1024 * 1024
OUTPUT_SIZE = 128
_QUICK = 64 * 1024
"""Bytes of a picture, and pixels, up to which it is read in less time than a thread takes to start on it."""
_LARGE = 4 * 1024 * 1024
"""Bytes of a picture, or a quarter of its pixels, from which it takes its turn: one may need from 15 MiB to 1 GiB."""
_AT_A_TIME = 2
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
Result = TypeVar("Result")


def picture_from_bytes(content: bytes, image_size: int, ground: str = "white", param: str = "image") -> np.ndarray:
    """An uploaded file to uint8 [image_size, image_size, 3], as the pictures that were trained on were brought to that
    size, and on their ground. Raises `ApiError` 400, 413 or 415."""
    if len(content) > MAX_PICTURE_BYTES:
        raise ApiError(413, "image_too_large", f"an image may have {MAX_PICTURE_BYTES} bytes at most", param)
    if not content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
        raise ApiError(415, "unsupported_image", "an image must be PNG, JPEG or WebP", param)
    try:
        return resize(fit(decode_upload(content, image_size, ground), image_size), image_size)
    except PictureError as error:
        raise ApiError(400, "invalid_image", str(error), param) from error


def bytes_from_text(text: str, param: str = "image") -> bytes:
    """What a data URL or plain base64 holds, also with white space in it, in the URL-safe alphabet, or without its
    padding. Raises `ApiError` 400."""
    text = "".join(text.split())
    encoded = text.partition(",")[2] if text[:5].lower() == "data:" else text
    try:
        plain = encoded.rstrip("=").encode("ascii").translate(_URL_SAFE)
        if len(encoded) - len(plain) > -len(plain) % 4 or not plain:
            raise ValueError("wrong padding")
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "invalid_image", f"not base64 ({error})", param) from error


_URL_SAFE = bytes.maketrans(b"-_", b"+/")


async def received(content: bytes, image_size: int, ground: str = "white", param: str = "image") -> np.ndarray:
    """Like `picture_from_bytes`, in a thread unless reading takes less time than the way there."""
    if _is_quick(content):
        return picture_from_bytes(content, image_size, ground, param)
    return await in_turn(content, picture_from_bytes, content, image_size, ground, param)


async def received_text(text: str, image_size: int, ground: str = "white", param: str = "image") -> np.ndarray:
    """`received` of what a text holds, which is unpacked in a thread too where it is long."""
    short = len(text) <= 2 * _QUICK
    content = bytes_from_text(text, param) if short else await asyncio.to_thread(bytes_from_text, text, param)
    return await received(content, image_size, ground, param)


async def in_turn(content: bytes, work: Callable[..., Result], *arguments: Any) -> Result:
    """Work on a picture in a thread; on large ones two at a time, so that they do not fill the memory."""
    if not _is_large(content):
        return await asyncio.to_thread(work, *arguments)
    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_A_TIME)):
        return await asyncio.to_thread(work, *arguments)


def _is_large(content: bytes) -> bool:
    if len(content) > _LARGE:
        return True
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:  # reads the header alone
            return image.width * image.height > 4 * _LARGE
    except Exception:  # Pillow raises many types for damaged files, which are refused when they are read
        return False


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
