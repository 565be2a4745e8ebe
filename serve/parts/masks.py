"""Masks of the OpenAI Images API: PNGs, transparent where an edit may act."""

import io

import numpy as np
from PIL import Image

from serve.runtime.api_errors import ApiError
from swiggle.data.pixels import is_kept_whole, middle, resize, square


def check_mask(mask: bytes, image: bytes) -> None:
    """Raises `ApiError` 400 for a mask that is no PNG, has no alpha, or another size than the picture. Of the mask only
    the header is read; a picture that is a PNG is read whole, for its EXIF may stand at the end."""
    try:
        with Image.open(io.BytesIO(mask), formats=("PNG",)) as opened:
            if (expected := upright_size(image)) != opened.size:
                raise _invalid(f"the mask is {_named(opened.size)} and the image {_named(expected)}")
            if not opened.has_transparency_data:
                raise _invalid("the mask has no alpha, whose transparent pixels tell where to edit")
    except ApiError:
        raise
    except Exception as error:  # Pillow raises many types for damaged files
        raise _invalid(f"not a readable PNG ({error})") from error


def opacity(mask: bytes, image: bytes, side: int) -> np.ndarray:
    """How opaque a mask is that `check_mask` let pass, uint8 [side, side]. It is made square and scaled as the picture
    is that it is for; beyond the rim of that it is opaque. Raises `ApiError` 400 for damaged bytes."""
    try:
        with Image.open(io.BytesIO(mask), formats=("PNG",)) as opened:
            if opened.width != opened.height and is_kept_whole(image):
                alpha = _alpha(opened)
                missing = max(alpha.shape) - np.array(alpha.shape)
                before = missing - missing // 2
                return resize(np.pad(alpha, np.stack([before, missing - before], axis=1), constant_values=255), side)
            if min(opened.size) > side:
                return middle(opened, side, _alpha)
            return resize(square(_alpha(opened)), side)
    except Exception as error:  # Pillow raises many types for damaged files
        raise _invalid(f"not a readable PNG ({error})") from error


def _alpha(image: Image.Image) -> np.ndarray:
    """uint8 [H, W]"""
    return np.asarray((image if image.mode in ("RGBA", "LA") else image.convert("RGBA")).getchannel("A"))


def upright_size(content: bytes) -> tuple[int, int]:
    """Width and height of a picture that can be read, as its EXIF turns it."""
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
        turned = image.getexif().get(0x0112) in (5, 6, 7, 8)
        return image.size[::-1] if turned else image.size


def blended(edited: np.ndarray, plain: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    """uint8 [S, S, 3]: `plain` where a mask uint8 [S, S] is opaque (255), `edited` where it is transparent (0), and
    shares of both between."""
    return np.asarray(Image.composite(Image.fromarray(plain), Image.fromarray(edited), Image.fromarray(opaque)))


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _invalid(message: str) -> ApiError:
    return ApiError(400, "invalid_mask", f"mask: {message}", "mask")
