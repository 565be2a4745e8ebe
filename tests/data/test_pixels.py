import io
import struct
import zlib

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


def _png_with(bits: int, kind: int, pixels: bytes, transparent: bytes, width: int, height: int) -> bytes:
    """A PNG of 16 bits a sample, which Pillow does not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    size = len(pixels) // height
    lines = b"".join(b"\0" + pixels[row * size : (row + 1) * size] for row in range(height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    rest = chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"tRNS", transparent) + rest


def test_a_transparent_colour_of_16_bits_is_white() -> None:
    grey = np.array([[0, 300], [65535, 300]], ">u2")
    picture = decode_picture(_png_with(16, 0, grey.tobytes(), struct.pack(">H", 300), 2, 2))
    assert picture[..., 0].tolist() == [[0, 255], [255, 255]]
    black = decode_picture(_png_with(16, 0, grey.tobytes(), struct.pack(">H", 0), 2, 2))
    assert black[..., 0].tolist() == [[255, 1], [255, 1]]
    colours = np.array([[[0, 0, 300], [65535, 0, 0]]], ">u2")
    picture = decode_picture(_png_with(16, 2, colours.tobytes(), struct.pack(">HHH", 0, 0, 300), 2, 1))
    assert picture.tolist() == [[[255, 255, 255], [255, 0, 0]]]
    picture = decode_picture(_png_with(16, 2, colours.tobytes(), struct.pack(">HHH", 65535, 0, 0), 2, 1))
    assert picture.tolist() == [[[0, 0, 1], [255, 255, 255]]]


def test_an_import_brings_large_pictures_down_and_refuses_gigantic_ones() -> None:
    from swiggle.data.pixels import decode_import

    strip = encoded(Image.new("RGB", (MAX_SIDE + 8, 600), "olive"), "JPEG")
    assert decode_import(strip, 64).shape[1] < MAX_SIDE
    assert min(decode_import(strip, 64).shape[:2]) >= 64
    small = encoded(Image.new("RGB", (50, 20), "olive"))
    np.testing.assert_array_equal(decode_import(small, 8), decode_picture(small))
    bomb = bytearray(encode_png(np.zeros((4, 4, 3), np.uint8)))
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
    with pytest.raises(PictureError, match="too large"):
        decode_import(bytes(bomb), 64)
