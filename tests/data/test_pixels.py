import io

import numpy as np
import pytest
from PIL import Image

from swiggle.data.pixels import MAX_SIDE, PictureError, decode_picture, encode_png, resize, square


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def test_png_round_trip(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode_picture(encode_png(picture)), picture)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_formats(kind: str) -> None:
    picture = decode_picture(encoded(Image.new("RGB", (16, 16), (200, 30, 30)), kind))
    assert picture.shape == (16, 16, 3)
    assert np.abs(picture.astype(int) - [200, 30, 30]).max() <= 8


def test_grey_and_transparency() -> None:
    assert (decode_picture(encoded(Image.new("L", (4, 4), 7))) == 7).all()
    assert (decode_picture(encoded(Image.new("RGBA", (4, 4), (9, 9, 9, 0)))) == 255).all()
    palette = Image.new("P", (4, 4), 0)
    assert (decode_picture(encoded(palette, transparency=0)) == 255).all()


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", encode_png(np.zeros((8, 8, 3), np.uint8))[:40]]
)
def test_damaged_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(PictureError):
        decode_picture(content)


def test_huge_dimensions_are_refused_from_the_header() -> None:
    with pytest.raises(PictureError, match="over"):
        decode_picture(encoded(Image.new("1", (MAX_SIDE + 1, 2))))


def test_resizing_pixel_art_is_exact(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize(picture, 128), picture.repeat(4, axis=0).repeat(4, axis=1))
    np.testing.assert_array_equal(resize(resize(picture, 128), 32), picture)


def test_square_takes_the_middle() -> None:
    wide = np.zeros((2, 6, 3), np.uint8)
    wide[:, 2:4] = 9
    assert (square(wide) == 9).all()
