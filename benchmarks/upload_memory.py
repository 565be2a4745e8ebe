"""How much memory the largest upload of each kind takes while it is read, over what the process had before.

python -m benchmarks.upload_memory              # all kinds of 8192 x 8192, brought down to 32 x 32
python -m benchmarks.upload_memory PNG-P        # one

Pictures are written and read in processes of their own, so that each peak is the reader's alone.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from serve.parts.masks import opacity
from serve.parts.pictures import picture_from_bytes
from swiggle.data.pixels import MAX_UPLOAD

SIZE = 32
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "JPEG": ("JPEG", "RGB", {}),
    "JPEG-progressive": ("JPEG", "RGB", {"progressive": True}),
    "JPEG-CMYK-progressive": ("JPEG", "CMYK", {"progressive": True}),
    "PNG-L": ("PNG", "L", {}),
    "PNG-LA": ("PNG", "LA", {}),
    "PNG-RGB": ("PNG", "RGB", {}),
    "PNG-RGBA": ("PNG", "RGBA", {}),
    "PNG-RGB-clear": ("PNG", "RGB", {"transparency": (1, 2, 3)}),
    "PNG-grey-16": ("PNG", "I;16", {}),
    "PNG-P": ("PNG", "P", {}),
    "PNG-P-clear": ("PNG", "P", {"transparency": 1}),
    "WebP": ("WEBP", "RGB", {"method": 0}),
    "WebP-alpha": ("WEBP", "RGBA", {"method": 0}),
    "WebP-lossless": ("WEBP", "RGB", {"method": 0, "lossless": True, "quality": 0}),
    "mask-RGBA": ("PNG", "RGBA", {}),
    "mask-RGB-clear": ("PNG", "RGB", {"transparency": (1, 2, 3)}),
}
"""Pillow's format, mode and options of each; masks are read as those of the Images API."""


def example(mode: str, side: int) -> Image.Image:
    """A picture in which no area is like another."""
    rows, columns = np.mgrid[:side, :side].astype(np.uint32)
    level = 255 / (2 * side)
    if mode == "I;16":
        return Image.fromarray(((rows + columns) * level * 257).astype(np.uint16))
    grey = Image.fromarray(((rows ^ columns) * level).astype(np.uint8))
    if mode in ("L", "P"):
        return grey if mode == "L" else grey.quantize(64)
    other = Image.fromarray(((rows + columns) * level).astype(np.uint8))
    return Image.merge(mode, [grey, other, grey, other][-len(mode) :])


def write(kind: str, path: Path) -> None:
    form, mode, options = KINDS[kind]
    example(mode, MAX_UPLOAD).save(path, form, **options)


def read(kind: str, path: Path) -> str:
    content = path.read_bytes()
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    if kind.startswith("mask"):
        opacity(content, content, SIZE)
    else:
        picture_from_bytes(content, SIZE)
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{(after - before) / 1024:.0f} MiB, {took:.1f} s, a file of {len(content) / 2**20:.1f} MiB"


def measured(kind: str) -> str:
    """MiB, seconds and the file's size, as a text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        for step in ("--write", "--read"):
            command = [sys.executable, "-m", "benchmarks.upload_memory", step, kind, str(path)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return told.strip()


def main() -> None:
    match sys.argv[1:]:
        case ["--write", kind, path]:
            write(kind, Path(path))
        case ["--read", kind, path]:
            print(read(kind, Path(path)))
        case kinds:
            for kind in kinds or KINDS:
                print(f"{kind:22} {measured(kind)}", flush=True)


if __name__ == "__main__":
    main()
