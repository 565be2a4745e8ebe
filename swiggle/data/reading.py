"""Reading the stored splits back."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from pyarrow.compute import field
from pyarrow.dataset import dataset

from swiggle.data.pixels import decode_picture, resize
from swiggle.data.sprites import SLOTS
from swiggle.errors import SwiggleError


@dataclass(frozen=True)
class Pictures:
    """A split in memory. `ids` int64 [N]; `images` uint8 [N, S, S, 3]; `captions` N strings or None."""

    ids: np.ndarray
    images: np.ndarray
    captions: list[str | None]

    def __len__(self) -> int:
        return len(self.ids)


def read_pictures(folder: Path, image_size: int, limit: int | None = None, ids: np.ndarray | None = None) -> Pictures:
    """Read a split, `limit` rows at most, or those rows that have one of `ids`.

    Pictures keep their stored size where all have one size that divides `image_size` (pixel art is enlarged a batch at
    a time, see `enlarge`), else they are brought to `image_size`.
    """
    stored = dataset(folder, format="parquet")
    columns = ["id", "image", "caption"]
    wanted = None if ids is None else field("id").isin(ids)
    # `head` reads no more than what it gives.
    table = stored.to_table(columns, filter=wanted) if limit is None else stored.head(limit, columns, filter=wanted)
    pictures = [decode_picture(image["bytes"]) for image in table["image"].to_pylist()]
    sizes = {picture.shape[0] for picture in pictures}
    if len(sizes) > 1 or image_size % next(iter(sizes)):
        pictures = [resize(picture, image_size) for picture in pictures]
    return Pictures(table["id"].to_numpy(), np.stack(pictures), table["caption"].to_pylist())


def read_captions(folder: Path, limit: int | None = None) -> tuple[np.ndarray, list[str | None]]:
    """Ids int64 [N], ascending, and captions of a split, of `limit` rows at most."""
    stored = dataset(folder, format="parquet")
    columns = ["id", "caption"]
    table = (stored.to_table(columns) if limit is None else stored.head(limit, columns)).sort_by("id")
    return table["id"].to_numpy(), table["caption"].to_pylist()


def enlarge(images: np.ndarray, image_size: int) -> np.ndarray:
    """Repeat pixels: uint8 [N, s, s, 3] -> [N, S, S, 3] with S a multiple of s."""
    factor = image_size // images.shape[1]
    return images if factor == 1 else images.repeat(factor, axis=1).repeat(factor, axis=2)


class NoTraits(SwiggleError):
    """A set of pictures whose true traits nobody knows."""


def read_traits(folder: Path) -> dict[str, list[str]]:
    """The trait columns of a split. Raises `NoTraits` where the source has none.

    For evaluation only: nothing that trains, labels or edits may call this.
    """
    table = pq.read_table(folder, columns=list(SLOTS))
    if any(table[slot].null_count for slot in SLOTS):
        raise NoTraits(f"{folder}: no trait columns; only composed Nouns have them")
    return {slot: table[slot].to_pylist() for slot in SLOTS}
