"""The train / validation / test split, fixed by a picture's key alone, and the ids of imported pictures.

The key of a composed picture is its id, that of an imported one its content. So adding, renaming or reordering pictures
never moves one from a split to another, and identical pictures are on one side. Where a split is decided it is stored:
in the folder of the pictures, and beside each latent.
"""

import hashlib
from collections.abc import Mapping

import numpy as np

from swiggle.data.pixels import resize

SPLITS = ("train", "validation", "test")
_PERCENT = {"train": 80, "validation": 10, "test": 10}


def split_of(key: int) -> str:
    """`train` (80%), `validation` (10%) or `test` (10%)."""
    place = _place(key)
    if place < _PERCENT["train"]:
        return "train"
    return "validation" if place < _PERCENT["train"] + _PERCENT["validation"] else "test"


def _place(key: int) -> int:
    return int.from_bytes(hashlib.blake2b(str(key).encode(), digest_size=8).digest(), "big") % 100


def content_of(picture: np.ndarray, image_size: int) -> int:
    """The key of a picture uint8 [S, S, 3] by what the model sees of it: its pixels at `image_size`. Files that differ
    in name, format or a whole enlargement have one content. Below 2^53, so that JSON and JavaScript keep it exact."""
    return _number(np.ascontiguousarray(resize(picture, image_size)).tobytes())


def _number(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") >> 11


class PictureIds:
    """Ids for imported pictures: the content itself, and for each further picture that looks the same another number
    that depends on the content and how many there were. Whatever is added, a picture that looks like no other keeps
    its id."""

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._copies: dict[int, int] = {}

    def of(self, content: int) -> int:
        """An id below 2^53 that no picture before has."""
        number = content
        while number in self._taken:
            self._copies[content] = self._copies.get(content, 0) + 1
            number = _number(f"{content} {self._copies[content]}".encode())
        self._taken.add(number)
        return number


def hold_out(counts: Mapping[int, int]) -> dict[int, str]:
    """The split of each key, of which so many pictures there are: `split_of`, unless that leaves a split empty.

    Then a tenth of the pictures, at least one, is held out for test and as many for validation, in the order in which
    `split_of` would, as long as no more are held out for either than are left to train on. Where only one key can be
    held out it is for validation; where all pictures look the same, none is.
    """
    splits = {key: split_of(key) for key in counts}
    if set(splits.values()) == set(SPLITS):
        return splits
    splits = dict.fromkeys(counts, "train")
    total = sum(counts.values())
    held = {"train": total, "validation": 0, "test": 0}
    for split in ("test", "validation"):
        wanted = max(1, total * _PERCENT[split] // 100)
        for key in sorted(counts, key=lambda key: (-_place(key), key)):
            left = held["train"] - counts[key]
            most = max(held[split] + counts[key], held["validation"], held["test"])
            if splits[key] == "train" and held[split] < wanted and left >= most:
                splits[key] = split
                held[split] += counts[key]
                held["train"] = left
    if held["validation"] == 0:
        splits = {key: "validation" if split == "test" else split for key, split in splits.items()}
    return splits
