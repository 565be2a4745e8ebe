"""Pictures of a folder: whatever is a picture by its content, in the folder and all below it."""

import os
from collections.abc import Iterator
from pathlib import Path

from swiggle.data.raw import Note, Raw, no_picture, printable

_HEAD = 64
"""Bytes from which it is told what a file is, so that a film is not read to see that it is no picture."""
_SIDE_FILES = ("metadata.jsonl", "metadata.csv", "metadata.parquet", "captions.txt")
_SIDE_SUFFIXES = (".txt", ".caption", ".json")


def files_below(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """Every file in a folder and below it, sorted, and why others cannot be read. Links are followed, and no folder is
    read twice; what begins with a dot is left out."""
    found: list[Path] = []
    unread: dict[Path, str] = {}

    def failed(error: OSError) -> None:
        unread[Path(error.filename)] = f"cannot be read ({error.strerror})"

    seen = {_identity(folder)}
    for where, folders, names in os.walk(folder, followlinks=True, onerror=failed):
        here = Path(where)
        below = {_identity(here / name): name for name in sorted(folders, reverse=True) if not name.startswith(".")}
        folders[:] = sorted(name for key, name in below.items() if key not in seen)  # what `os.walk` goes into
        seen |= below.keys()
        for path in (here / name for name in names if not name.startswith(".")):
            if path.is_file():
                found.append(path)
            else:
                unread[path] = "a link that leads nowhere" if path.is_symlink() else "not a file"
    return sorted(found), unread


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def folder_rows(folder: Path, note: Note) -> Iterator[Raw]:
    """The files of a folder. Captions are not read; files that look like some are remarked."""
    files, unread = files_below(folder)
    if beside := _captions_beside(files):
        shown = ", ".join(printable(path.name) for path in beside[:3]) + (", ..." if len(beside) > 3 else "")
        note(str(folder), "remark", f"captions beside pictures are not read ({shown}); those of a Parquet file are")
    for path in sorted([*files, *unread]):
        if path in unread:
            yield Raw(str(path), problem=unread[path])
            continue
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD)
                problem = no_picture(head)
                content = b"" if problem else head + file.read()
        except OSError as error:
            content, problem = b"", f"cannot be read ({error.strerror})"
        yield Raw(str(path), content, problem=problem)


def _captions_beside(files: list[Path]) -> list[Path]:
    """Files that are named as captions of pictures are."""
    texts = [path for path in files if path.suffix.lower() in _SIDE_SUFFIXES]
    pictures = {path.with_suffix("") for path in files if path.suffix.lower() not in _SIDE_SUFFIXES}
    return [path for path in files if path.name in _SIDE_FILES] + [
        path for path in texts if path.with_suffix("") in pictures and path.name not in _SIDE_FILES
    ]
