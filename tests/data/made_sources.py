"""Folders of pictures as people have them, and what is read of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from swiggle.config import DataConfig
from swiggle.data.pixels import encode_png
from swiggle.data.sources import Import, read_source, write_splits


def png(look: int, side: int = 20) -> bytes:
    """A picture that differs from one of any other look."""
    return encode_png(np.random.default_rng(look).integers(0, 256, (side, side, 3), dtype=np.uint8))


def write(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Files by their path below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def pictures(*names: str) -> dict[str, bytes]:
    return {name: png(look) for look, name in enumerate(names)}


def captions(source: Path, **settings: object) -> list[str | None]:
    """The captions that are read, in the order of the pictures."""
    config = DataConfig(source=str(source), **{"count": None, **settings})
    return [row["caption"] for row in read_source(config, 16)]


def imported(source: Path, to: Path, **settings: object) -> Import:
    to.mkdir()
    return write_splits(DataConfig(source=str(source), **{"count": None, **settings}), 16, to)
