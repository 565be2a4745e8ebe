"""Reading the stored splits back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from pyarrow.compute import field
from pyarrow.dataset import dataset

from swiggle.data.pixels import decode_picture, resize
from swiggle.errors import SwiggleError
from swiggle.storage import filesystem_of

TRAITS = "_traits.parquet"
"""Beside the splits, where the pictures are of a composed set: `id`, and for each slot the name of its value. Whoever
reads all Parquet files of a folder passes over names that begin so."""


class StoredError(SwiggleError, ValueError):
    """A stored split that does not hold what is asked of it."""


class TraitsMissing(StoredError):
    """Traits are asked of pictures that have none."""


@dataclass(frozen=True)
class Pictures:
    """A split in memory. `ids` int64 [N]; `images` uint8 [N, S, S, 3]; `captions` N strings or None."""

    ids: np.ndarray
    images: np.ndarray
    captions: list[str | None]

    def __len__(self) -> int:
        return len(self.ids)


def count_pictures(uri: str | Path) -> int:
    """How many pictures a stored split has, at a path or URI."""
    filesystem, path = filesystem_of(str(uri))
    return dataset(path, format="parquet", filesystem=filesystem).count_rows()


def first_with_pictures(folder: Path, *splits: str) -> str:
    """The first of some splits that has any; the last where none has. A set may be too small to hold something out."""
    return next((split for split in splits if count_pictures(folder / split)), splits[-1])


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
    pictures = (decode_picture(image["bytes"].as_py()) for image in table["image"])
    return Pictures(table["id"].to_numpy(), _filled(pictures, len(table), image_size), table["caption"].to_pylist())


def _filled(pictures: Iterable[np.ndarray], count: int, image_size: int) -> np.ndarray:
    """What `stacked` gives, of pictures that are never all there beside it: of 160,000 at 64 x 64 that saves 2 GB."""
    whole = np.empty((0, image_size, image_size, 3), np.uint8)
    for number, picture in enumerate(pictures):
        side = len(picture)
        if not number:
            side = image_size if image_size % side else side
            whole = np.empty((count, side, side, 3), np.uint8)
        elif side != whole.shape[1] != image_size:  # they are not of one size after all
            known = whole
            whole = np.empty((count, image_size, image_size, 3), np.uint8)
            for place in range(number):
                whole[place] = resize(known[place], image_size)
        whole[number] = resize(picture, whole.shape[1])
    return whole


def stacked(pictures: Sequence[np.ndarray], image_size: int) -> np.ndarray:
    """Square pictures as one array, at their own size where all have one that divides `image_size`, else at that."""
    sizes = {picture.shape[0] for picture in pictures}
    if len(sizes) > 1 or image_size % next(iter(sizes)):
        pictures = [resize(picture, image_size) for picture in pictures]
    return np.stack(pictures)


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


def read_traits(folder: Path, slots: Sequence[str], ids: np.ndarray | None = None) -> dict[str, list[str]]:
    """The traits of a split in some slots, of the pictures with `ids` in their order, or of all by ascending id. Raises
    `TraitsMissing` where they are not known, `StoredError` where the split has not those pictures.

    They stand in a table beside the splits, in earlier runs in columns beside the pictures. For evaluation only:
    nothing that trains, labels or edits may call this.
    """
    own = dataset(folder, format="parquet")
    table, beside = own.to_table(["id"]), folder.parent / TRAITS
    if beside.exists():
        table = pq.read_table(beside, columns=["id", *slots], filters=field("id").isin(table["id"]))
    elif set(slots) <= set(own.schema.names):
        table = own.to_table(["id", *slots])
    if not len(table) or not set(slots) <= set(table.column_names) or any(table[slot].null_count for slot in slots):
        raise TraitsMissing(f"{folder}: no traits of {', '.join(slots)}; only composed sets have them")
    table = table.sort_by("id")
    if ids is not None:
        table = table.take(_rows_of(table["id"].to_numpy(), ids, folder))
    return {slot: table[slot].to_pylist() for slot in slots}


def captions_of(folder: Path, ids: np.ndarray) -> list[str | None]:
    """The captions of the pictures of a split with `ids`, in their order."""
    known, captions = read_captions(folder)
    return [captions[row] for row in _rows_of(known, ids, folder)]


def _rows_of(known: np.ndarray, ids: np.ndarray, folder: Path) -> np.ndarray:
    """Where in ascending ids others stand. Raises `StoredError` naming one that is not there."""
    if len(missing := np.setdiff1d(ids, known)):
        raise StoredError(f"{folder}: holds no picture {missing[0]}; it was made from other data")
    return np.searchsorted(known, ids)
