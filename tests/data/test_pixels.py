import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from benchmarks.upload_memory import KINDS, example
from swiggle.data import pixels
from swiggle.data.pixels import (
    MAX_SIDE,
    PictureError,
    decode_import,
    decode_picture,
    decode_upload,
    encode_png,
    is_kept_whole,
    oddities,
    resize,
    square,
)
from tests.conftest import run_module


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
    strip = encoded(Image.new("RGB", (MAX_SIDE + 8, 600), "olive"), "JPEG")
    assert 64 <= decode_import(strip, 64).shape[0] < 100  # a JPEG is decoded at an eighth
    assert decode_import(encoded(Image.new("RGB", (MAX_SIDE + 8, 600))), 64).shape == (64, 64, 3)
    assert decode_import(strip, 1_000).shape == (600, 600, 3)
    small = encoded(Image.new("RGB", (50, 20), "olive"))
    np.testing.assert_array_equal(decode_import(small, 8), square(decode_picture(small)))
    bomb = bytearray(encode_png(np.zeros((4, 4, 3), np.uint8)))
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
    with pytest.raises(PictureError, match="too large"):
        decode_import(bytes(bomb), 64)


@pytest.mark.filterwarnings("ignore")  # Pillow's own, about damaged TIFF
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF"])
def test_damaged_imports_are_refused_or_read(kind: str, rng: np.random.Generator) -> None:
    frames = [Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)) for _ in range(3)]
    moving = {"save_all": True, "append_images": frames[1:]} if kind in ("PNG", "WEBP", "GIF", "TIFF") else {}
    whole = np.frombuffer(encoded(frames[0], kind, **moving), np.uint8)
    readable = 0
    for _ in range(150):
        damaged = whole.copy()
        places = rng.integers(0, len(damaged), rng.choice([1, 3, 20]))
        damaged[places] = rng.integers(0, 256, len(places), dtype=np.uint8)
        content = damaged[: rng.integers(1, 2 * len(damaged))].tobytes()
        try:
            made = decode_import(content, 16)
        except PictureError:
            continue
        assert made.ndim == 3
        assert isinstance(oddities(content)[1], str)
        readable += 1
    assert 0 < readable < 150


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_large_uploads_are_brought_down_as_smaller_ones_are(
    kind: str, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, mode, options = KINDS[kind]
    picture = example(mode, 301).crop((0, 0, 301, 200))
    if kind == "PNG-RGB-clear":
        options = {"transparency": picture.getpixel((150, 100))}
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(picture, form, exif=exif, **options)
    expected = resize(square(decode_picture(content)), 101)
    monkeypatch.setattr(pixels, "MAX_SIDE", 64)
    made = decode_upload(content, 101)
    assert expected.max() - expected.min() > 40
    if orientation == 1:
        np.testing.assert_array_equal(made, expected)
    else:  # the middle of an odd number of columns is a pixel further left or right
        assert np.abs(made.astype(int) - expected).mean() < 4


def test_uploads_stand_as_imports_do() -> None:
    """On the ground of the pictures that a model knows; kept whole where they are see-through, else their middle."""
    wide = Image.new("RGBA", (30, 10))
    wide.paste((255, 0, 0, 255), (0, 0, 10, 10))
    for picture in (wide, wide.convert("RGB"), Image.new("RGBA", (30, 10), "blue"), wide.crop((0, 0, 10, 10))):
        content = encoded(picture)
        for ground in ("white", "navy", "checkered"):
            made = decode_upload(content, 32, ground)
            np.testing.assert_array_equal(made, decode_import(content, 32, ground))
            assert is_kept_whole(content) == (made.shape[0] == max(picture.size))
    on_navy = decode_upload(encoded(wide), 32, "navy")
    assert on_navy[0, 0].tolist() == [0, 0, 128]
    assert on_navy[15, 5].tolist() == [255, 0, 0]


def test_16_bits_are_kept_whole_where_they_are_see_through(rng: np.random.Generator) -> None:
    colours = rng.integers(1, 65536, (4, 10, 3)).astype(">u2")
    for clear in (colours[0, 0], np.zeros(3, ">u2")):  # one that a pixel has, and one that none has
        content = _png_with(16, 2, colours.tobytes(), clear.tobytes(), 10, 4)
        assert is_kept_whole(content) == (decode_upload(content, 32).shape[0] == 10) == bool(clear.any())


def test_large_uploads_of_16_bits(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    colours = rng.integers(0, 65536, (300, 300, 3)).astype(">u2")
    colours[100:200, 50:150] = 300, 7, 65535
    for kind, values in ((2, colours), (0, colours[..., 0])):
        clear = values[150:151, 100].tobytes()
        content = _png_with(16, kind, values.tobytes(), clear, 300, 300)
        with monkeypatch.context() as patch:
            expected = resize(decode_picture(content), 20)
            patch.setattr(pixels, "MAX_SIDE", 64)
            np.testing.assert_array_equal(decode_upload(content, 20), expected)
        assert (expected[8:12, 4:8] == 255).all()


def test_damaged_large_uploads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "MAX_SIDE", 64)
    for kind in ("PNG", "JPEG", "WEBP"):
        content = encoded(Image.effect_noise((128, 128), 50).convert("RGB"), kind)
        with pytest.raises(PictureError):
            decode_upload(content[: len(content) // 2], 32)


@pytest.mark.integration
def test_the_largest_uploads_take_little_more_memory_than_their_pixels() -> None:
    """MiB; made into RGBA whole, this kind took 1,154."""
    told = run_module("benchmarks.upload_memory", "PNG-RGB-clear")
    assert told.returncode == 0, told.stdout
    assert int(told.stdout.split()[1]) < 520
