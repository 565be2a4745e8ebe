"""Zip and tar archives, read without being unpacked: nothing is written, so no name in them leads anywhere.

What an archive can make of its size is bounded: a member by `FILE_BYTES`, the text that is kept of a compressed tar by
`TEXT_KEPT`, a compressed tar as a whole by `GROWTH`, and a zip whose members share their bytes is refused.
"""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from swiggle.data.file_tree import FILE_BYTES, HEAD, Leaf, is_theirs
from swiggle.data.raw import SourceError, one_line, printable

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
KEPT_SUFFIXES = (".txt", ".caption", ".json", ".jsonl", ".csv", ".tsv", ".cls", ".parquet")
"""Members of a compressed tar that are kept while its pictures are read, for it cannot be gone back in cheaply."""
TEXT_KEPT = 1 << 28
"""Bytes of them at most: 256 MiB, the captions of a million pictures."""
GROWTH = 200
"""How many times its size, and a gigabyte at least, a compressed tar may hold. Pictures hardly get smaller; text does
by 5 to 20 times, zeros by 1,000."""
_LEAST = 1 << 30
_DAMAGE = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError,
    zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile,
)  # fmt: skip
"""What the libraries raise for members that are cut, encrypted or packed in a way they do not know."""
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
"""How files begin that gzip, bzip2 and xz made."""


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar archive by its content."""
    return zipfile.is_zipfile(path) or (path.stat().st_size > 0 and _is_tar(path))


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except _DAMAGE:
        return False


def is_sequential(archive: Path) -> bool:
    """Whether the files of an archive are to be read in their order: of a tar, which may be compressed as a whole."""
    return not zipfile.is_zipfile(archive)


@contextmanager
def opened(archive: Path, name: str) -> Iterator[list[Leaf]]:
    """The files of an archive, readable inside the block.
    `name`: what it is called. Raises `SourceError` for an archive that is damaged or holds more than it may."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                yield _zip_leaves(packed, archive, name)
        else:
            with tarfile.open(archive) as tar:
                yield _tar_leaves(tar, archive, name)
    except SourceError:
        raise
    except _DAMAGE as error:
        raise SourceError(f"data.source: {printable(name)} is no readable archive ({one_line(error)})") from error


def _zip_leaves(packed: zipfile.ZipFile, archive: Path, name: str) -> list[Leaf]:
    members = [member for member in packed.infolist() if not member.is_dir()]
    if sum(member.compress_size for member in members) > archive.stat().st_size:
        raise SourceError(f"data.source: {printable(name)} claims to hold more bytes than it has; it is not read")
    return [
        leaf
        for member in members
        if (leaf := _leaf(member.filename, name, member.file_size, _opener(packed.open, member)))
    ]


def _opener(open_member: Callable[..., IO[bytes] | None], member: object) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        try:
            stream = open_member(member)
            if stream is None:
                raise OSError("no file")
            with stream:
                return stream.read(limit)
        except _DAMAGE as error:
            raise OSError(0, one_line(error)) from error

    return read


def _tar_leaves(tar: tarfile.TarFile, archive: Path, name: str) -> list[Leaf]:
    with archive.open("rb") as file:
        start = file.read(6)
    compressed = start.startswith(_COMPRESSED)
    most = max(_LEAST, GROWTH * archive.stat().st_size)
    leaves, total, kept = [], 0, 0
    for member in tar:
        total += member.size
        if total > most:
            raise SourceError(
                f"data.source: {printable(name)} unpacks to more than {most:,} bytes; unpack it and name the folder"
            )
        if not member.isfile():
            continue  # folders, and links, which lead to what is read anyway
        read, head = _opener(tar.extractfile, member), None
        if compressed and member.name.lower().endswith(KEPT_SUFFIXES) and (kept := kept + member.size) <= TEXT_KEPT:
            read = _kept(read(FILE_BYTES))
        elif compressed:
            head = read(HEAD)
        if leaf := _leaf(member.name, name, member.size, read, head):
            leaves.append(leaf)
    return leaves


def _kept(content: bytes) -> Callable[[int], bytes]:
    return lambda limit: content[:limit]


def _leaf(inner: str, archive: str, size: int, read: Callable[[int], bytes], head: bytes | None = None) -> Leaf | None:
    """A member as a file; None for what is hidden or an operating system's."""
    path = PurePosixPath(inner.replace("\\", "/"))
    parts = [part for part in path.parts if part not in ("/", ".")]
    if not parts or not all(is_theirs(part) for part in parts if part != ".."):
        return None
    problem = "a path that leads out of its archive" if ".." in parts else ""
    return Leaf(PurePosixPath(*parts), f"{archive}/{inner}", size, read, problem, head)
