"""Folders on any filesystem that pyarrow knows: a local path, NFS, `s3://bucket/prefix`, `gs://...`.

A stage writes into a local folder and `publish`es it whole, so a folder under its final name is always complete.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyarrow import fs


def absolute(uri: str) -> str:
    """`uri` itself, or an absolute path where it is a relative local one."""
    return uri if "://" in uri else str(Path(uri).expanduser().absolute())


def join(uri: str, *parts: str) -> str:
    """A path below `uri`; a query (`s3://bucket/run?endpoint_override=...`) stays at the end."""
    base, mark, query = absolute(uri).partition("?") if "://" in uri else (absolute(uri), "", "")
    return "/".join([base.rstrip("/"), *parts]) + mark + query


def is_local(uri: str) -> bool:
    return "://" not in uri or uri.startswith("file://")


def local_path(uri: str) -> Path:
    """The path of a local URI. Raises ValueError for a remote one."""
    if not is_local(uri):
        raise ValueError(f"{uri} is not a local path")
    return Path(absolute(uri.removeprefix("file://")))


def read_json(uri: str) -> Any | None:
    """The JSON document at `uri`, or None where there is no such file. Raises ValueError naming a damaged file."""
    filesystem, path = fs.FileSystem.from_uri(absolute(uri))
    if filesystem.get_file_info(path).type != fs.FileType.File:
        return None
    with filesystem.open_input_stream(path) as stream:
        content = stream.read()
    try:
        return json.loads(content)
    except ValueError as error:
        raise ValueError(f"{uri}: not valid JSON ({error})") from error


def write_json(uri: str, document: Any) -> None:
    """Write a JSON document in one step: a reader sees the old file or the new one."""
    filesystem, path = fs.FileSystem.from_uri(absolute(uri))
    filesystem.create_dir(os.path.dirname(path), recursive=True)
    with filesystem.open_output_stream(path + ".partial") as stream:
        stream.write((json.dumps(document, indent=1, sort_keys=True) + "\n").encode())
    filesystem.move(path + ".partial", path)


def exists(uri: str) -> bool:
    """Whether there is a folder at `uri`."""
    filesystem, path = fs.FileSystem.from_uri(absolute(uri))
    return filesystem.get_file_info(path).type == fs.FileType.Directory


def remove(uri: str) -> None:
    """Delete the folder at `uri` if there is one."""
    filesystem, path = fs.FileSystem.from_uri(absolute(uri))
    if filesystem.get_file_info(path).type == fs.FileType.Directory:
        filesystem.delete_dir(path)


@contextmanager
def publish(uri: str) -> Iterator[Path]:
    """A local folder to fill; it replaces whatever is at `uri` once the block ends without an error."""
    if is_local(uri):
        target = local_path(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        for left_by_a_kill in target.parent.glob(f".{target.name}-*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        partial.chmod(0o755)
        try:
            yield partial
            if target.exists():
                shutil.rmtree(target)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return
    with tempfile.TemporaryDirectory(prefix="swiggle-") as folder:
        yield Path(folder)
        remove(uri)
        fs.copy_files(folder, uri)


@contextmanager
def local_copy(uri: str) -> Iterator[Path]:
    """The folder at `uri` as a local path: itself where it is local, else a copy for as long as the block runs."""
    if is_local(uri):
        yield local_path(uri)
        return
    with tempfile.TemporaryDirectory(prefix="swiggle-") as folder:
        fs.copy_files(uri, folder)
        yield Path(folder)


def copy_into(folder: Path, uri: str) -> None:
    """Copy the files of a local folder to `uri`, over what is there."""
    filesystem, path = fs.FileSystem.from_uri(absolute(uri))
    filesystem.create_dir(path, recursive=True)
    fs.copy_files(str(folder), path, destination_filesystem=filesystem)
