"""Pictures on the wire: base64 in, PNG out, with the limits of the API."""

import base64
import binascii

import numpy as np

from serve.errors import ApiError
from swiggle.data.pixels import PictureError, decode_picture, encode_png, resize, square

MAX_BYTES = 4 * 1024 * 1024
OUTPUT_SIZE = 128


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


def picture_from_text(text: str, image_size: int, param: str = "image") -> np.ndarray:
    """A data URL or plain base64 to uint8 [image_size, image_size, 3]. Raises `ApiError`."""
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "invalid_image", f"not base64 ({error})", param) from error
    return picture_from_bytes(content, image_size, param)


def to_png(picture: np.ndarray) -> bytes:
    """uint8 [S, S, 3] to PNG bytes at 128 x 128, or at S where S is larger."""
    return encode_png(resize(picture, max(OUTPUT_SIZE, picture.shape[0])))


def to_base64(png: bytes) -> str:
    return base64.b64encode(png).decode()
