"""Pictures as uint8 arrays: decoding, squaring and resizing."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from swiggle.errors import SwiggleError

MAX_SIDE = 4096
MAX_UPLOAD = 8192
"""Pixels a side that an uploaded picture may have."""
MAX_IMPORT = 128_000_000
"""Pixels of a picture that an import takes; beyond `MAX_SIDE` it is brought down while it is read."""
_BAND = 128
"""Rows of a large picture that are brought down at once: the copies of 8192 x 128 pixels are 4 MiB each. More rows take
more memory, fewer more calls."""
FORMATS = ("PNG", "JPEG", "WEBP")
IMPORTED = (*FORMATS, "BMP")


class PictureError(SwiggleError, ValueError):
    """Bytes that cannot be used as a picture."""


def decode_picture(content: bytes) -> np.ndarray:
    """PNG, JPEG or WebP bytes to uint8 RGB [H, W, 3], upright as its EXIF says; transparency is laid on white. Raises
    `PictureError`.

    The size is read from the header and checked before any pixel is decoded.
    """
    return _decode(content, FORMATS, None)


def decode_upload(content: bytes, size: int) -> np.ndarray:
    """As `decode_picture`, up to `MAX_UPLOAD` a side. Of one beyond `MAX_SIDE` only the largest centred square, brought
    to [size, size, 3], at little more memory than its pixels take as they are stored."""
    return _decode(content, FORMATS, size, MAX_UPLOAD)


def decode_import(content: bytes, size: int) -> np.ndarray:
    """As `decode_picture`, for pictures that their owner brings: BMP too, and larger ones. Of a JPEG over `MAX_SIDE` no
    more is decoded than gives at least `size` pixels a side."""
    return _decode(content, IMPORTED, size)


def _decode(content: bytes, formats: tuple[str, ...], size: int | None, most: int | None = None) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content), formats=formats) as opened:
            image: Image.Image = opened
            most = MAX_SIDE if size is None else most
            if most is not None and max(image.size) > most:
                raise PictureError(f"a picture of {image.width}x{image.height} is over {most}x{most}")
            if image.width * image.height > MAX_IMPORT:
                raise PictureError(f"a picture of {image.width}x{image.height} is over {MAX_IMPORT:,} pixels")
            if size is not None and max(image.size) > MAX_SIDE:
                image.draft("RGB", (size, size))
            # Pillow keeps the upper 8 bits of such colours, and of one that is transparent all 16.
            sixteen_bits = ";16" in str(opened.tile)
            if most == MAX_UPLOAD and size and max(image.size) > MAX_SIDE:
                made = Image.fromarray(middle(image, size, lambda band: _on_white(band, sixteen_bits)))
                made.info = image.info
                ImageOps.exif_transpose(made, in_place=True)
                return np.asarray(made)
            ImageOps.exif_transpose(image, in_place=True)
            return _on_white(image, sixteen_bits)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(f"too large a picture ({error})") from error
    except Exception as error:  # Pillow raises many types for damaged files
        raise PictureError(f"not a readable PNG, JPEG or WebP picture ({error})") from error


def _on_white(image: Image.Image, sixteen_bits: bool) -> np.ndarray:
    """uint8 RGB [H, W, 3] of a picture of any mode."""
    clear = image.info.get("transparency")
    if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow's conversion would cut the upper ones off
        values = np.clip(np.asarray(image), 0, 65535)
        grey = np.where(values == clear, 255, values // 257)  # no value equals None
        return grey.astype(np.uint8)[..., None].repeat(3, axis=2)
    if image.mode not in ("RGBA", "LA", "PA") and clear is None:
        return np.asarray(image.convert("RGB"))
    if sixteen_bits and isinstance(clear, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    rgba = image.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB"))


def middle(image: Image.Image, size: int, pixels: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    """What `pixels` makes of the largest centred square of a picture, brought down to `size` a side as `resize` does.
    That takes rows together after columns, so here columns are brought down a band of rows at a time."""
    image.load()
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    narrow = []
    for start in range(top, top + side, _BAND):
        band = image.crop((left, start, left + side, min(start + _BAND, top + side)))
        wide = Image.fromarray(pixels(band))
        narrow.append(np.asarray(wide.resize((size, band.height), Image.Resampling.BOX)))
    return np.asarray(Image.fromarray(np.concatenate(narrow)).resize((size, size), Image.Resampling.BOX))


def oddities(content: bytes) -> str:
    """What sets readable picture bytes apart from a square RGB picture, in words; empty where nothing does."""
    with Image.open(io.BytesIO(content), formats=IMPORTED) as image:
        found = [] if image.mode == "RGB" else [f"mode {image.mode}"]
        if (frames := getattr(image, "n_frames", 1)) > 1:
            found.append(f"first of {frames} frames")
        if image.width != image.height:
            found.append(f"middle of {image.width}x{image.height}")
        return ", ".join(found)


def encode_png(picture: np.ndarray, compression: int = 1) -> bytes:
    """uint8 [H, W, 3] to PNG bytes; `compression` from 1, fast, to 9, small."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", compress_level=compression)
    return stream.getvalue()


def encode_small_png(picture: np.ndarray, colours: int = 64) -> bytes:
    """uint8 [H, W, 3] to the bytes of a PNG with a palette of its own, a third of the size."""
    stream = io.BytesIO()
    Image.fromarray(picture).quantize(colours, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def encode_webp(picture: np.ndarray, quality: int = 90) -> bytes:
    """uint8 [H, W, 3] to WebP bytes, which lose a little and are a fraction of a PNG's for decoded pictures."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "WEBP", quality=quality)
    return stream.getvalue()


def square(picture: np.ndarray) -> np.ndarray:
    """The largest centred square of a picture [H, W, 3]."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def resize(picture: np.ndarray, size: int) -> np.ndarray:
    """Bring a square picture [S, S, 3] to [size, size, 3]: nearest neighbour up, area average down.

    Pixel art enlarged by a whole number comes back exactly.
    """
    if picture.shape[0] == size:
        return picture
    how = Image.Resampling.NEAREST if picture.shape[0] < size else Image.Resampling.BOX
    return np.asarray(Image.fromarray(picture).resize((size, size), how))
