"""What a set of pictures is like: how many, how large, drawings or photographs, in the same places or anywhere.

A survey goes once through a source. It reads each picture's header, decodes `SAMPLE` of them drawn at random, and keeps
nothing else, so that it costs the reading of the files. What is chosen from it: `swiggle/chosen_settings.py`.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from swiggle.data.pixels import IMPORTED, PictureError, decode_import, resize, square
from swiggle.data.raw import Raw, no_picture

SAMPLE = 512
"""Pictures that are decoded. With 100 the median of sides and colours is the same on emoji, Nouns and cuttings of
photographs; whether pictures are registered is then told from 0.05 less."""
REGISTERED = 1.15
"""`alignment` from which on pictures count as registered. Measured: Nouns 1.36, the same shifted by up to 4 pixels of
32 1.04, emoji 1.03, cuttings of photographs 1.02, noise 1.01. Lower takes centred drawings for sprites."""
LARGEST = 256
"""Side to which a sample is brought down, the largest that is chosen."""
_SIDE = 32
"""Side at which alignment is measured."""


@dataclass(frozen=True)
class Survey:
    """A set of pictures in a few figures."""

    count: int
    """Pictures whose header can be read."""
    side: int
    """The median of their shorter sides, in pixels."""
    colours: int
    """The median of how many colours one has, at `LARGEST` pixels a side at most."""
    transparent: float
    """Share of those that have transparency."""
    looks: int
    """How many of those that were decoded look different."""
    registered: bool
    """Whether the same things stand at the same pixels throughout, as in sprites that are laid over each other."""


def survey(raws: Iterable[Raw], most: int | None = None, seed: int = 0) -> Survey:
    """A survey of pictures as they come, of the first `most` that can be read; the others do not count."""
    sides: list[int] = []
    transparent = 0
    kept: list[bytes] = []
    draw = np.random.default_rng(seed)
    for raw in raws:
        if raw.problem or no_picture(raw.content[:64]) or (header := _header(raw.content)) is None:
            continue
        sides.append(header[0])
        transparent += header[1]
        if len(kept) < SAMPLE:
            kept.append(raw.content)
        elif (place := int(draw.integers(len(sides)))) < SAMPLE:  # each picture as likely as any other (Vitter 1985)
            kept[place] = raw.content
        if len(sides) == most:
            break
    return _summary(len(sides), sides, transparent / max(1, len(sides)), _decoded(kept))


def survey_of_drawn(pictures: np.ndarray, count: int) -> Survey:
    """The survey of `count` pictures of which some, uint8 [N, S, S, 3], are drawn already."""
    return _summary(count, [pictures.shape[1]], 0.0, list(pictures))


def alignment(pictures: np.ndarray) -> float:
    """How much more edges of two pictures uint8 [N, S, S, 3] meet as they lie than with one of them shifted by a
    sixteenth of the side: 1 where that makes no difference or there are no edges, more where they are registered."""
    grey = pictures.astype(np.float32).mean(axis=-1)
    across = np.abs(np.diff(grey, axis=2, append=grey[:, :, -1:]))
    edges = across + np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    together = edges.sum(axis=0)
    by = max(1, pictures.shape[1] // 16)
    shifts = [(down, right) for down in (-by, 0, by) for right in (-by, 0, by)]
    inner = slice(by, -by)

    def meetings(shift: tuple[int, int]) -> float:
        # All pairs at once: those of the sums, less each picture's with itself.
        all_pairs = together[inner, inner] * np.roll(together, shift, (0, 1))[inner, inner]
        own = edges[:, inner, inner] * np.roll(edges, shift, (1, 2))[:, inner, inner]
        return float(all_pairs.sum(dtype=np.float64) - own.sum(dtype=np.float64))

    shifted = np.mean([meetings(shift) for shift in shifts if shift != (0, 0)])
    return float(meetings((0, 0)) / shifted) if shifted > 0 else 1.0


def _summary(count: int, sides: list[int], transparent: float, pictures: list[np.ndarray]) -> Survey:
    if not pictures:
        return Survey(0, 0, 0, 0.0, 0, False)
    looks = {resize(picture, _SIDE).tobytes() for picture in pictures}
    distinct = np.stack([np.frombuffer(look, np.uint8).reshape(_SIDE, _SIDE, 3) for look in sorted(looks)])
    colours = [len(np.unique(picture.reshape(-1, 3), axis=0)) for picture in pictures[:_COUNTED]]
    registered = len(distinct) > 1 and alignment(distinct) >= REGISTERED
    return Survey(
        count, int(np.median(sides)), int(np.median(colours)), round(transparent, 3), len(distinct), registered
    )


_COUNTED = 128
"""Pictures whose colours are counted."""


def _header(content: bytes) -> tuple[int, bool] | None:
    """The shorter side of a picture, and whether it may be transparent; None where its header cannot be read."""
    try:
        with Image.open(io.BytesIO(content), formats=IMPORTED) as image:
            clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            return min(image.size), clear
    except Exception:  # Pillow raises many types for damaged files; the import names each of them
        return None


def _decoded(contents: list[bytes]) -> list[np.ndarray]:
    pictures = []
    for content in contents:
        try:
            picture = square(decode_import(content, LARGEST))
        except PictureError:  # which the import reports
            continue
        pictures.append(resize(picture, min(LARGEST, len(picture))))
    return pictures
