"""Pictures as uint8 arrays: decoding, squaring and resizing."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFile, ImageOps

from swiggle.data.grounds import CHECKERED, ground_pixels
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
IMPORTED = (*FORMATS, "BMP", "GIF", "TIFF", "AVIF")


class PictureError(SwiggleError, ValueError):
    """Bytes that cannot be used as a picture."""


def decode_picture(content: bytes) -> np.ndarray:
    """PNG, JPEG or WebP bytes to uint8 RGB [H, W, 3], upright as its EXIF says; transparency is laid on white. Raises
    `PictureError`.

    The size is read from the header and checked before any pixel is decoded.
    """
    return _decode(content, FORMATS)


def decode_upload(content: bytes, size: int, ground: str = "white") -> np.ndarray:
    """As `decode_import`, of PNG, JPEG or WebP up to `MAX_UPLOAD` a side. One beyond `MAX_SIDE` takes little more
    memory than its pixels as they are stored."""
    return _decode(content, FORMATS, size, MAX_UPLOAD, ground)


def decode_import(content: bytes, size: int, ground: str = "white") -> np.ndarray:
    """A picture that its owner brings as a square, uint8 RGB [S, S, 3]: in more formats, of which the first frame or
    page is taken, with transparency laid on a `ground` (`grounds.py`). Of one that is not square the middle is taken;
    one with transparency is an icon or a sprite, stands in the middle of its ground and is not cut. One beyond
    `MAX_SIDE` is cut, and comes at `size` a side. Raises `PictureError`.
    """
    return _decode(content, IMPORTED, size, None, ground)


def is_kept_whole(content: bytes) -> bool:
    """Whether a readable picture is none of those that `decode_import` takes the middle of."""
    with Image.open(io.BytesIO(content), formats=IMPORTED) as image:
        if image.width == image.height:
            return True
        if not _has_alpha(image) or max(image.size) > MAX_SIDE:
            return False
        return bool(_bytes_of(image, _is_sixteen_bits(image)).getextrema()[-1] != (255, 255))


def _decode(
    content: bytes,
    formats: tuple[str, ...],
    size: int | None = None,
    most: int | None = MAX_SIDE,
    on: str | None = None,
) -> np.ndarray:
    """`most`: pixels a side that are taken. `on`: a ground, on which the middle alone is laid; None lays all on white.
    What is beyond `MAX_SIDE` becomes [size, size, 3]."""
    try:
        with Image.open(io.BytesIO(content), formats=formats) as opened:
            image: Image.Image = opened
            if most is not None and max(image.size) > most:
                raise PictureError(f"a picture of {image.width}x{image.height} is over {most}x{most}")
            if image.width * image.height > MAX_IMPORT:
                raise PictureError(f"a picture of {image.width}x{image.height} is over {MAX_IMPORT:,} pixels")
            large = size is not None and max(image.size) > MAX_SIDE and min(image.size) >= size
            if size is not None and large:
                image.draft("RGB", (size, size))
            sixteen_bits = _is_sixteen_bits(opened)
            if size is not None and large and max(image.size) > MAX_SIDE:
                flat = None if on == CHECKERED else on  # a checkered ground is laid once the size is right
                made = Image.fromarray(middle(image, size, lambda band: _laid(_bytes_of(band, sixteen_bits), flat)))
                made.info = image.info
                image, sixteen_bits = made, False
                image.info.pop("transparency", None)
            ImageOps.exif_transpose(image, in_place=True)
            if on is None:
                return _laid(_bytes_of(image, sixteen_bits), "white")
            see_through = _has_alpha(image) and max(image.size) <= MAX_SIDE
            image = _bytes_of(image if see_through else _cut(image, min(image.size)), sixteen_bits)
            if image.width != image.height:
                opaque = image.getextrema()[-1] == (255, 255)
                image = _cut(image, min(image.size) if opaque else max(image.size))
            return _laid(image, on)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(f"too large a picture ({error})") from error
    except Exception as error:  # Pillow raises many types for damaged files
        named = "PNG, JPEG or WebP " if formats == FORMATS else ""
        raise PictureError(f"not a readable {named}picture ({error})") from error


def _cut(image: Image.Image, side: int) -> Image.Image:
    """The middle of a picture, [side, side]; what lies beyond its rim is transparent, or black in RGB."""
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _laid(image: Image.Image, on: str | None) -> np.ndarray:
    """A picture in RGB or RGBA as uint8 RGB [H, W, 3] on a ground; as it is where that is None."""
    if image.mode == "RGB" or on is None:
        return np.asarray(image)
    below = Image.fromarray(ground_pixels(on, image.height, image.width)).convert("RGBA")
    return np.asarray(Image.alpha_composite(below, image).convert("RGB"))


def _is_sixteen_bits(image: ImageFile.ImageFile) -> bool:
    """Whether a picture that is not loaded yet has 16 bits a sample: Pillow keeps the upper 8 bits of such colours, and
    of one that is transparent all 16."""
    return ";16" in str(image.tile)


def _bytes_of(image: Image.Image, sixteen_bits: bool) -> Image.Image:
    """A picture of any mode with 8 bits a sample: RGBA where it has transparency, else RGB."""
    clear = image.info.get("transparency")
    if image.mode == "F":
        raise PictureError("a picture of floating-point numbers; save it with 8 or 16 bits a sample")
    if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow's conversion would cut the upper ones off
        values = np.clip(np.asarray(image), 0, 65535)
        grey = Image.fromarray((values // 257).astype(np.uint8)).convert("RGB")
        if clear is not None:
            grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
        return grey
    if not _has_alpha(image):
        return image.convert("RGB")
    if sixteen_bits and isinstance(clear, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    return image.convert("RGBA")


def middle(image: Image.Image, size: int, pixels: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    """What `pixels` makes, RGB or RGBA, of the largest centred square of a picture, brought down to `size` a side as
    `resize` does. That takes rows together after columns, so here columns are brought down a band of rows at a time."""
    image.load()
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    narrow = []
    for start in range(top, top + side, _BAND):
        band = image.crop((left, start, left + side, min(start + _BAND, top + side)))
        wide = Image.fromarray(pixels(band))
        narrow.append(np.asarray(wide.resize((size, band.height), Image.Resampling.BOX)))
    return np.asarray(Image.fromarray(np.concatenate(narrow)).resize((size, size), Image.Resampling.BOX))


def oddities(content: bytes) -> tuple[tuple[int, int], str]:
    """The width and height of a readable picture, and what sets it apart from a square RGB picture, in words; empty
    where nothing does."""
    with Image.open(io.BytesIO(content), formats=IMPORTED) as image:
        found = [] if image.mode == "RGB" else [f"mode {image.mode}"]
        try:
            frames = getattr(image, "n_frames", 1)
        except Exception:  # later frames may be damaged, for which Pillow raises many types
            found.append("first of several frames, of which others are damaged")
            frames = 1
        if frames > 1:
            found.append(f"first of {frames} frames")
        if image.width != image.height:
            whole = _has_alpha(image) and max(image.size) <= MAX_SIDE
            found.append(f"{'made square of' if whole else 'middle of'} {image.width}x{image.height}")
        return image.size, ", ".join(found)


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
