"""A folder in which ten pictures are odd and ten files are no pictures at all."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from swiggle.data.pixels import encode_png


def _encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


_PNG = encode_png(np.zeros((40, 40, 3), np.uint8))
_GREY_16_BIT = np.linspace(0, 65535, 40 * 40).reshape(40, 40).astype(np.uint16)

ODD = {
    "grey.png": _encoded(Image.new("L", (40, 40), 90)),
    "grey.jpg": _encoded(Image.new("L", (40, 40), 90), "JPEG"),
    "grey-16-bit.png": _encoded(Image.fromarray(_GREY_16_BIT)),
    "grey-and-alpha.png": _encoded(Image.new("LA", (40, 40), (90, 30))),
    "one-bit.png": _encoded(Image.new("1", (40, 40), 1)),
    "palette.png": _encoded(Image.new("P", (40, 40), 3)),
    "transparent.webp": _encoded(Image.new("RGBA", (40, 40), (9, 9, 9, 60)), "WEBP", lossless=True),
    "print.jpg": _encoded(Image.new("CMYK", (40, 40), (9, 80, 9, 0)), "JPEG"),
    "wide.png": _encoded(Image.new("RGB", (50, 20), (9, 80, 9))),
    "moving.webp": _encoded(
        Image.new("RGB", (40, 40)), "WEBP", save_all=True, append_images=[Image.new("RGB", (40, 40), "red")]
    ),
}
BROKEN = {
    "empty.png": b"",
    "cut.png": _PNG[: len(_PNG) // 2],
    "cut.jpg": _encoded(Image.effect_noise((40, 40), 50), "JPEG")[:300],
    "cut.webp": _encoded(Image.effect_noise((40, 40), 50).convert("RGB"), "WEBP")[:100],
    "text.png": b"not a picture",
    "header-only.png": _PNG[:8],
    "float.tiff": _encoded(Image.new("F", (40, 40)), "TIFF"),
    "phone.heic": b"\0\0\0\x18ftypheic" + bytes(60),
    "notes.txt": b"remember the milk",
    "huge.png": _PNG[:16] + (60_000).to_bytes(4, "big") * 2 + _PNG[24:],
}


def odd_folder(folder: Path, good: int) -> Path:
    """Write them into a new folder beside `good` plain pictures."""
    folder.mkdir()
    for i in range(good):
        (folder / f"{i:03}.png").write_bytes(encode_png(np.full((40, 40, 3), i, np.uint8)))
    for name, content in {**ODD, **BROKEN}.items():
        (folder / name).write_bytes(content)
    return folder
