"""The files of a source, whether they lie in a folder or are packed in an archive."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

HEAD = 64
"""Bytes from which it is told what a file is, so that a film is not read to see that it is no picture."""
FILE_BYTES = 1 << 29
"""What a single file may hold: 512 MiB, above the pixels of the largest picture that is imported. More is not read."""
_NOT_THEIRS = {"__macosx", "@eadir", "thumbs.db", "desktop.ini", "node_modules"}
"""What operating systems and tools put beside files, besides all that begins with a dot."""


@dataclass(frozen=True)
class Leaf:
    """A file: its `path` below the source, the `name` it is spoken of by, its `size` in bytes if an archive tells it.
    `read(n)` gives its first n bytes and raises OSError; `problem` says why it cannot. `head` are its first bytes if
    they are known."""

    path: PurePosixPath
    name: str
    size: int
    read: Callable[[int], bytes]
    problem: str = ""
    head: bytes | None = None

    def start(self) -> bytes:
        return self.read(HEAD) if self.head is None else self.head

    def content(self) -> bytes:
        """All of it. Raises OSError, also for a file of more than `FILE_BYTES`."""
        content = b"" if self.size > FILE_BYTES else self.read(FILE_BYTES + 1)
        if max(self.size, len(content)) > FILE_BYTES:
            raise OSError(f"it has more than the {FILE_BYTES:,} bytes that are read of a file")
        return content


def is_theirs(name: str) -> bool:
    """Whether a file or folder of this name is the user's; hidden ones and those of operating systems are not."""
    return not name.startswith(".") and name.lower() not in _NOT_THEIRS


def files_below(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """Every file in a folder and below it, sorted, and why others cannot be read. Links are followed, and no folder is
    read twice; hidden ones are left out."""
    found: list[Path] = []
    unread: dict[Path, str] = {}

    def failed(error: OSError) -> None:
        unread[Path(error.filename)] = f"cannot be read ({error.strerror})"

    seen = {_identity(folder)}
    for where, folders, names in os.walk(folder, followlinks=True, onerror=failed):
        here = Path(where)
        below = {_identity(here / name): name for name in sorted(folders, reverse=True) if is_theirs(name)}
        folders[:] = sorted(name for key, name in below.items() if key not in seen)  # what `os.walk` goes into
        seen |= below.keys()
        for path in (here / name for name in names if is_theirs(name)):
            if path.is_file():
                found.append(path)
            else:
                unread[path] = "a link that leads nowhere" if path.is_symlink() else "not a file"
    return sorted(found), unread


def leaves_below(folder: Path) -> list[Leaf]:
    """The files of a folder and below it, in the order of their paths."""
    files, unread = files_below(folder)
    leaves = [
        Leaf(PurePosixPath(path.relative_to(folder)), str(path), 0, _reader(path), problem)
        for path, problem in unread.items()
    ]
    leaves += [leaf_of(path, folder) for path in files]
    return sorted(leaves, key=lambda leaf: leaf.path)


def leaf_of(path: Path, folder: Path) -> Leaf:
    """A file of a folder."""
    return Leaf(PurePosixPath(path.relative_to(folder)), str(path), 0, _reader(path))


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        with path.open("rb") as file:
            return file.read(limit)

    return read


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
