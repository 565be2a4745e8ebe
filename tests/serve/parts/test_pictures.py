"""Pictures on the wire: PNGs that lose nothing, and files that would cost too much to open."""

import asyncio
import base64
import io
import struct
import time
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from serve.parts.pictures import bytes_from_text, picture_from_bytes, received, to_png
from serve.parts.png import enlarged_png
from serve.runtime.api_errors import ApiError
from swiggle.data.pixels import decode_picture, encode_png


@pytest.mark.parametrize("size", [1, 3, 32, 100, 128, 200])
def test_pngs_lose_nothing(size: int, rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    read = decode_picture(to_png(picture))
    assert read.shape[0] == max(size, 128)
    if 128 % size == 0:
        np.testing.assert_array_equal(read, picture.repeat(128 // size, axis=0).repeat(128 // size, axis=1))


def test_enlarged_pngs_are_what_other_readers_expect(rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(enlarged_png(picture, 3))) as image:
        image.verify()
    with Image.open(io.BytesIO(enlarged_png(picture, 3))) as image:
        assert (image.size, image.mode, image.format) == ((21, 15), "RGB", "PNG")
        np.testing.assert_array_equal(np.asarray(image), picture.repeat(3, axis=0).repeat(3, axis=1))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(width: int, height: int, inflated: int, *extra: bytes) -> bytes:
    """A PNG whose pixels claim one size and whose stream unpacks to another."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    packed = b"".join(packer.compress(block) for _ in range(inflated >> 20)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


BOMBS = {
    "claims 10 GB": bomb(58_000, 58_000, 1 << 20),
    "claims the most": bomb(2**31 - 1, 2**31 - 1, 1 << 20),
    "unpacks far beyond its size": bomb(32, 32, 256 << 20),
    "a text that unpacks far": bomb(32, 32, 1 << 20, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 << 20), 9))),
    "a profile that unpacks far": bomb(32, 32, 1 << 20, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(64 << 20), 9))),
}


@pytest.mark.parametrize("name", BOMBS)
def test_files_that_unpack_to_far_more_cost_little(name: str) -> None:
    tracemalloc.start()
    with suppress(ApiError):  # refused, or no more of it unpacked than its size says
        picture_from_bytes(BOMBS[name], 32)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50 << 20


def saved(kind: str, picture: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def test_cut_short_and_disguised_files_are_refused(rng: np.random.Generator) -> None:
    whole = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for kind in ("PNG", "JPEG", "WEBP"):
        content = saved(kind, whole)
        for end in (8, 12, len(content) // 2):
            with pytest.raises(ApiError) as refused:
                picture_from_bytes(content[:end], 32)
            assert refused.value.status in (400, 415)
    gif = saved("GIF", whole)
    for disguise in (b"RIFF" + gif, b"\x89PNG" + gif, b"\xff\xd8\xff" + gif):
        with pytest.raises(ApiError, match="not a readable"):
            picture_from_bytes(disguise, 32)
    script = b"<script>alert(1)</script>"
    polyglot = saved("PNG", whole) + script
    assert script not in to_png(picture_from_bytes(polyglot, 32))  # pictures are always written anew


def test_of_moving_pictures_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "green")]
    for kind in ("PNG", "WEBP"):
        content = saved(kind, frames[0], save_all=True, append_images=frames[1:], lossless=True)
        assert (picture_from_bytes(content, 32) == (255, 0, 0)).all()


def test_pictures_from_cameras_stand_upright() -> None:
    lying = Image.new("RGB", (64, 64), "white")
    lying.paste("black", (0, 0, 64, 32))
    exif = Image.Exif()
    for orientation, side in ((1, "top"), (6, "right"), (3, "bottom"), (8, "left")):
        exif[0x0112] = orientation
        read = picture_from_bytes(saved("JPEG", lying, exif=exif), 32).mean(axis=2) < 128
        dark = {"top": read[:16], "bottom": read[16:], "left": read[:, :16], "right": read[:, 16:]}
        assert dark[side].mean() > 0.95
    exif[0x0112] = 999
    assert picture_from_bytes(saved("JPEG", lying, exif=exif), 32).shape == (32, 32, 3)


def test_large_pictures_are_read_off_the_event_loop() -> None:
    async def check() -> None:
        content = encode_png(np.zeros((2000, 2000, 3), np.uint8))
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticking = asyncio.create_task(tick())
        assert (await received(content, 32)).shape == (32, 32, 3)
        ticking.cancel()
        assert ticks > 1

    asyncio.run(check())


CONTENT = bytes(range(251, 256)) * 31  # its base64 has + and /, and needs padding


def lines(text: str, end: str) -> str:
    return end.join(text[start : start + 76] for start in range(0, len(text), 76)) + end


BASE64 = base64.b64encode(CONTENT).decode()
SPELLINGS = {
    "line breaks": lines(BASE64, "\n"),
    "line breaks of mail": lines(BASE64, "\r\n"),
    "spaces and tabs": f" \t{BASE64[:10]} {BASE64[10:]}\n",
    "url-safe": base64.urlsafe_b64encode(CONTENT).decode(),
    "no padding": BASE64.rstrip("="),
    "url-safe without padding": base64.urlsafe_b64encode(CONTENT).decode().rstrip("="),
    "data URL in capitals": f"DATA:image/png;BASE64,{BASE64}",
    "data URL after a line break": f"\n data:image/png;base64,{BASE64}",
    "data URL with line breaks": f"data:image/png;base64,{lines(BASE64, chr(10))}",
}
TAKEN_BEFORE = {
    "plain": BASE64,
    "data URL": f"data:image/png;base64,{BASE64}",
    "data URL with parameters": f"data:image/png;charset=utf-8;name=a.png;base64,{BASE64}",
    "data URL without a type": f"data:;base64,{BASE64}",
}


@pytest.mark.parametrize("name", TAKEN_BEFORE)
def test_base64_as_it_is_sent(name: str) -> None:
    assert bytes_from_text(TAKEN_BEFORE[name]) == CONTENT


@pytest.mark.parametrize("name", SPELLINGS)
def test_base64_as_other_programs_write_it(name: str) -> None:
    assert bytes_from_text(SPELLINGS[name]) == CONTENT


@pytest.mark.parametrize(
    "text", ["!!!", "AAAA=AAA", "A", "AAAAA", "é" * 8, "AA==AA==", "=", "data:image/png;base64,%%", "\ud800"]
)
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        bytes_from_text(text, "image")
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, "invalid_image", "image")


def large(kind: str, mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (8192, 8192), "olive").save(stream, kind, compress_level=1)  # of a PNG: to be fast
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "RGB")])
def test_the_largest_pictures_are_brought_down(kind: str, mode: str) -> None:
    picture = picture_from_bytes(large(kind, mode), 32)
    np.testing.assert_allclose(picture, np.broadcast_to([128, 128, 0], (32, 32, 3)), atol=2)


def test_larger_ones_are_refused() -> None:
    stream = io.BytesIO()
    Image.new("L", (8193, 4)).save(stream, "PNG")
    with pytest.raises(ApiError, match="8192"):
        picture_from_bytes(stream.getvalue(), 32)


def test_large_pictures_are_read_two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[int] = []
    reading = 0

    def slowly(content: bytes, size: int, *about: str) -> np.ndarray:
        nonlocal reading
        reading += 1
        at_once.append(reading)
        time.sleep(0.05)
        reading -= 1
        return np.zeros((size, size, 3), np.uint8)

    monkeypatch.setattr("serve.parts.pictures.picture_from_bytes", slowly)
    content = large("PNG")

    async def many() -> None:
        await asyncio.gather(*(received(content, 32) for _ in range(6)))

    asyncio.run(many())
    assert max(at_once) == 2


def test_uploads_come_to_the_size_of_the_model_as_training_pictures_did(rng: np.random.Generator) -> None:
    art = rng.choice(np.array([0, 90, 200], np.uint8), (24, 24, 1)).repeat(3, axis=2)
    framed = picture_from_bytes(encode_png(art), 64)  # twice, in a margin
    np.testing.assert_array_equal(framed[8:56, 8:56], art.repeat(2, axis=0).repeat(2, axis=1))
    photo = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    assert (picture_from_bytes(encode_png(photo), 48)[0::2] != picture_from_bytes(encode_png(photo), 48)[1::2]).any()
    clear = saved("PNG", Image.new("RGBA", (40, 20)))
    assert (picture_from_bytes(clear, 32, "navy") == (0, 0, 128)).all()
