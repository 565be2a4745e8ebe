"""Classes by folder: what the folders are called in which pictures lie."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from swiggle.data.caption_text import class_name

_NO_CLASS = {
    "train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval", "split", "data", "dataset",
    "images", "image", "imgs", "img", "pictures", "pics", "photos", "icons", "sprites", "png", "pngs", "jpg", "jpeg",
    "jpegs", "webp", "gif", "bmp", "raw", "all", "src", "assets",
}  # fmt: skip
"""Folders that say nothing of a picture: parts of a set, and what files are."""


def classes_of(pictures: Sequence[PurePosixPath]) -> dict[PurePosixPath, str]:
    """The class of each picture by path: the nearest folder that says something. Empty where folders are no classes:
    a picture lies in none, there are fewer than two, most pictures have one for themselves, or they are numbered."""
    folders = {path: _nearest(path) for path in pictures}
    names = set(folders.values())
    if "" in names or len(names) < 2 or len(names) > max(2, len(pictures) // 2) or _are_numbered(names):
        return {}
    return {path: class_name(folder) for path, folder in folders.items()}


def _nearest(picture: PurePosixPath) -> str:
    said = (part for part in reversed(picture.parent.parts) if part.lower() not in _NO_CLASS)
    return next(said, "")


def _are_numbered(names: set[str]) -> bool:
    """Whether folders only divide files, or files by their size: 000, 001, a0, ff, part-1, and beside others 64. The
    ten digits are classes, as of handwriting."""
    if all(len(name) == 1 and name.isdecimal() for name in names):
        return False
    numbers = [re.fullmatch(r"[0-9]+([x@_-][0-9]+)*x?", name.lower()) for name in names]
    shards = [re.fullmatch(r"[0-9a-f]{1,3}|[0-9a-f]{8,}|(part|batch|chunk|shard|dir)?[-_ ]?[0-9]+", name.lower())
              for name in names]  # fmt: skip
    return any(numbers) or (all(shards) and any(letter.isdecimal() for name in names for letter in name))
