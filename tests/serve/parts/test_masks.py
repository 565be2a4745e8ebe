"""How opaque masks are, of every kind of PNG and at sizes below and above their own."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from serve.parts.masks import opacity
from swiggle.data.pixels import resize, square


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
    stream = io.BytesIO()
    picture.save(stream, "PNG", **options)
    with Image.open(io.BytesIO(stream.getvalue())) as read:
        whole = np.asarray(read.convert("RGBA").getchannel("A"))
    assert len(np.unique(whole)) > 1
    np.testing.assert_array_equal(opacity(stream.getvalue(), side), resize(square(whole), side))
