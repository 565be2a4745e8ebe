"""Folders on any filesystem that pyarrow knows: a local path, NFS, `s3://bucket/prefix`, `gs://...`.

    s3://bucket/run?region=eu-central-1
    s3://bucket/run?endpoint_override=minio.internal:9000&scheme=https

A stage writes into a local folder and `publish`es it whole, so a folder under its final name is always complete; on
object storage it is complete once its stage's record says so. Requests to S3 are repeated through an outage of a
minute.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pyarrow import fs

from swiggle.errors import SwiggleError

S3_ATTEMPTS = 12
"""Tries of a request to S3. The waits between them double up to 20 s; where nobody listens, all take two minutes."""
S3_OPTIONS = {"region", "scheme", "endpoint_override", "tls_ca_file_path"}


class StorageError(SwiggleError, ValueError):
    """A place that cannot be used, or a damaged file; the message names it."""


class PatientS3(fs.S3FileSystem):
    """The S3 file system of a URI, with more patience than pyarrow's own. Travels to other processes as that URI:
    pyarrow's forgets its retry strategy on the way."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        options = dict(parse_qsl(parts.query))
        if unknown := sorted(options.keys() - S3_OPTIONS):
            raise StorageError(f"{shown(uri)}: unknown option {unknown[0]}; known are {', '.join(sorted(S3_OPTIONS))}")
        if parts.username is not None:
            raise StorageError(
                f"{shown(uri)}: keys do not belong in a URI, which is logged and stored; set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY"
            )
        if "region" not in options and "endpoint_override" not in options:
            options["region"] = fs.resolve_s3_region(parts.netloc)
        super().__init__(**options, retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=S3_ATTEMPTS))
        self._uri = uri

    def __reduce__(self) -> tuple[type["PatientS3"], tuple[str]]:
        return PatientS3, (self._uri,)


def filesystem_of(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system of a URI or local path, and the path in it. Raises `StorageError` for one that makes no sense."""
    if uri.startswith("s3://"):
        parts = urlsplit(uri)
        return PatientS3(uri), parts.netloc + unquote(parts.path).rstrip("/")
    return fs.FileSystem.from_uri(absolute(uri))


def shown(uri: str) -> str:
    """A URI as it may be printed: without what stands before an @."""
    scheme, mark, rest = uri.partition("://")
    return scheme + mark + rest.rpartition("@")[2] if mark else uri


def check_reachable(uri: str) -> None:
    """Raises `StorageError` saying what is wrong with remote storage: no such bucket, no access, nobody there."""
    if is_local(uri):
        return
    _, path = filesystem_of(uri)
    # pyarrow's own way of opening gives up after seconds, which is right for a typing error.
    filesystem = fs.FileSystem.from_uri(uri)[0]
    bucket = path.partition("/")[0]
    try:
        found = filesystem.get_file_info(bucket).type
    except OSError as error:
        raise StorageError(f"{shown(uri)}: cannot be reached ({error})") from error
    if found == fs.FileType.NotFound:
        raise StorageError(f"{shown(uri)}: there is no bucket {bucket}")


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
    """The path of a local URI. Raises `StorageError` for a remote one."""
    if not is_local(uri):
        raise StorageError(f"{uri} is not a local path")
    return Path(absolute(uri.removeprefix("file://")))


def cache_folder() -> Path:
    """Where copies and what can be made again are kept on this machine: SWIGGLE_CACHE, or ~/.cache/swiggle."""
    return Path(os.environ.get("SWIGGLE_CACHE", "~/.cache/swiggle")).expanduser()


def read_json(uri: str) -> Any | None:
    """The JSON document at `uri`, or None where there is no such file. Raises `StorageError` naming a damaged file."""
    filesystem, path = filesystem_of(uri)
    if filesystem.get_file_info(path).type != fs.FileType.File:
        return None
    with filesystem.open_input_stream(path) as stream:
        content = stream.read()
    try:
        return json.loads(content)
    except ValueError as error:
        raise StorageError(f"{uri}: not valid JSON ({error})") from error


def write_json(uri: str, document: Any) -> None:
    """Write a JSON document in one step: a reader sees the old file or the new one."""
    filesystem, path = filesystem_of(uri)
    content = (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    partial = path + ".partial" if is_local(uri) else path  # an object appears when it is whole
    filesystem.create_dir(os.path.dirname(path), recursive=True)
    with filesystem.open_output_stream(partial) as stream:
        stream.write(content)
    if partial != path:
        filesystem.move(partial, path)


def exists(uri: str) -> bool:
    """Whether there is a folder at `uri`."""
    filesystem, path = filesystem_of(uri)
    return filesystem.get_file_info(path).type == fs.FileType.Directory


def remove(uri: str) -> None:
    """Delete the folder at `uri` if there is one."""
    filesystem, path = filesystem_of(uri)
    if filesystem.get_file_info(path).type == fs.FileType.Directory:
        filesystem.delete_dir(path)


def remove_file(uri: str) -> None:
    """Delete the file at `uri` if there is one."""
    filesystem, path = filesystem_of(uri)
    if filesystem.get_file_info(path).type == fs.FileType.File:
        filesystem.delete_file(path)


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
        copy_into(Path(folder), uri)


@contextmanager
def publish_at(uri: str) -> Iterator[str]:
    """Like `publish`, for writers in other processes: gives the URI of the folder to fill. Object storage renames
    nothing, so there the folder is filled under its own name, and is complete once its stage's record says so."""
    if is_local(uri):
        with publish(uri) as folder:
            yield str(folder)
    else:
        remove(uri)
        yield uri


@contextmanager
def local_copy(uri: str, parts: Sequence[str] = ()) -> Iterator[Path]:
    """The folder at `uri` as a local path: itself where it is local, else a copy for as long as the block runs, of all
    of it or of the named files and folders."""
    if is_local(uri):
        yield local_path(uri)
        return
    with tempfile.TemporaryDirectory(prefix="swiggle-") as folder:
        copy_out(uri, Path(folder), parts)
        yield Path(folder)


def copy_out(uri: str, folder: Path, parts: Sequence[str] = ()) -> None:
    """Copy what is at `uri`, or the named files and folders in it, into a local folder. Raises FileNotFoundError."""
    for part in parts or ("",):
        filesystem, path = filesystem_of(join(uri, part) if part else uri)
        to = folder / part
        is_file = filesystem.get_file_info(path).type == fs.FileType.File
        (to.parent if is_file else to).mkdir(parents=True, exist_ok=True)
        fs.copy_files(path, str(to), source_filesystem=filesystem, destination_filesystem=fs.LocalFileSystem())


def copy_into(folder: Path, uri: str) -> None:
    """Copy the files of a local folder to `uri`, over what is there."""
    filesystem, path = filesystem_of(uri)
    filesystem.create_dir(path, recursive=True)
    fs.copy_files(str(folder), path, source_filesystem=fs.LocalFileSystem(), destination_filesystem=filesystem)
