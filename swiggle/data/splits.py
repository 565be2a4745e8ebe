"""The train / validation / test split, fixed by a picture's id alone.

Adding pictures never moves one from a split to another, whatever the source or the number of pictures.
"""

import hashlib

SPLITS = ("train", "validation", "test")
_PERCENT = {"train": 80, "validation": 10, "test": 10}


def split_of(picture_id: int) -> str:
    """`train` (80%), `validation` (10%) or `test` (10%)."""
    place = int.from_bytes(hashlib.blake2b(str(picture_id).encode(), digest_size=8).digest(), "big") % 100
    if place < _PERCENT["train"]:
        return "train"
    return "validation" if place < _PERCENT["train"] + _PERCENT["validation"] else "test"
