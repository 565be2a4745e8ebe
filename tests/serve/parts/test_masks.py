"""How opaque masks are, of every kind of PNG and at sizes below and above their own."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from serve.parts.masks import opacity
from swiggle.data.pixels import resize, square


def png(picture: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("side", [20, 128, 199, 200, 256])
@pytest.mark.parametrize(("mode", "options"), [("RGBA", {}), ("LA", {}), ("P", {"transparency": 2}), ("RGB", {})])
def test_masks_are_cut_and_scaled_like_pictures(
    mode: str, options: dict[str, Any], side: int, rng: np.random.Generator
) -> None:
    picture = Image.fromarray(rng.integers(0, 3, (200, 301), dtype=np.uint8), "P")
    picture.putpalette(range(9))
    if mode != "P":
        picture = picture.convert(mode)
        if mode == "RGB":
            options = {"transparency": (3, 4, 5)}
        else:
            picture.putalpha(Image.fromarray(rng.integers(0, 256, (200, 301), dtype=np.uint8)))
    opaque, mask = png(Image.new("RGB", picture.size)), png(picture, **options)
    with Image.open(io.BytesIO(mask)) as read:
        whole = np.asarray(read.convert("RGBA").getchannel("A"))
    assert len(np.unique(whole)) > 1
    np.testing.assert_array_equal(opacity(mask, opaque, side), resize(square(whole), side))


def test_a_mask_of_a_picture_that_is_kept_whole_is_kept_whole() -> None:
    """The picture stands in the middle of its ground; beyond its rim nothing is edited."""
    picture, mask = Image.new("RGBA", (8, 3), (9, 9, 9, 0)), Image.new("RGBA", (8, 3), (0, 0, 0, 0))
    made = opacity(png(mask), png(picture), 8)
    np.testing.assert_array_equal(np.flatnonzero((made == 0).all(axis=1)), [3, 4, 5])
    assert (np.delete(made, [3, 4, 5], axis=0) == 255).all()
    cut = opacity(png(mask), png(picture.convert("RGB")), 8)
    assert (cut == 0).all()
