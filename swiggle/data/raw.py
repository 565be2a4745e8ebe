"""One picture of a source as it comes, before anything is decoded, and what can be said of files that are none."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from swiggle.errors import SwiggleError

Note = Callable[[str, str, str], None]
"""(name, what, why): a picture that was "skipped" or "converted" and why or how, or a "remark" about all of a source"""
READABLE = "PNG, JPEG, WebP, GIF, BMP, TIFF and AVIF are read"


class SourceError(SwiggleError, ValueError):
    """A source that cannot be read. The message names the field at fault and says what would work."""


@dataclass(frozen=True)
class Raw:
    """`content`, the bytes of a file; `captions`, what is said of it, and `origin`, by what; `problem`, why there are
    no bytes."""

    name: str
    content: bytes = b""
    captions: tuple[str, ...] = ()
    origin: str = ""
    problem: str = ""


def printable(name: str) -> str:
    """A file name as text that can be printed and stored: bytes that are no UTF-8 become escapes (caf\\xe9.png)."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def one_line(error: BaseException) -> str:
    """An error of a library in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def no_picture(head: bytes) -> str:
    """What a file is that begins with `head` (64 bytes or more, or all of it); empty for a picture that is read."""
    if not head:
        return "an empty file"
    brands = {head[start : start + 4] for start in range(8, 48, 4)} if head[4:8] == b"ftyp" else set()
    is_bmp = head.startswith(b"BM") and head[6:10] == bytes(4)
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    if head.startswith(_PICTURES) or is_bmp or is_webp or brands & {b"avif", b"avis"}:
        return ""
    if brands:
        heic = brands & {b"heic", b"heix", b"mif1", b"msf1"}
        return f"a HEIC picture; {READABLE}" if heic else "a film, no picture"
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    text = head.decode("utf-8", "replace").rstrip("\ufffd")  # the last letter may be cut in two
    return f"no picture that is known; {READABLE}" if {"\0", "\ufffd"} & set(text) else "a text file, no picture"


_PICTURES = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""PNG, JPEG, GIF and TIFF."""
_STARTS = {
    b"version https://git-lfs": "a pointer of Git LFS to a file that was not fetched; `git lfs pull` fetches it",
    b"<svg": f"an SVG drawing, which has no pixels; {READABLE}",
    b"PK\x03\x04": "a zip archive, no picture",
    b"\x1f\x8b": "a gzip archive, no picture",
    b"PAR1": "a Parquet file, no picture",
    b"%PDF": "a PDF document, no picture",
}
