"""Tables of captions beside pictures: `metadata.jsonl`, `.csv` or `.parquet` as the `imagefolder` of `datasets` reads
them, and such as other tools write: any CSV, TSV or JSON that has a column of file names, lists of COCO's captions, and
JSON that maps file names to captions.

`datasets` itself is not used here: it refuses a folder of which a picture is missing or has no row, reads neither files
of text beside pictures nor archives without a copy, and keeps a copy of the table outside the run.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.config import DataConfig
from swiggle.data.caption_text import caption_columns, decoded, texts_in
from swiggle.data.file_tree import Leaf
from swiggle.data.raw import SourceError, one_line, printable

SUFFIXES = (".jsonl", ".csv", ".tsv", ".parquet", ".json")
_NAMES = {"metadata.jsonl", "metadata.csv", "metadata.parquet"}
"""Tables of captions by their name, as `datasets` has them; of others only what they hold tells."""
FILE_COLUMNS = (
    "file_name", "image", "path", "filename", "image_file_name", "image_path", "file", "file_path", "filepath", "img",
    "image_name", "image_id", "id",
)  # fmt: skip
"""Columns that name the picture of a row, from the first that is there."""
_SEEN = 100
"""Rows from which it is told which columns hold text."""
Row = dict[str, Any]


@dataclass
class Metadata:
    """What the tables of one folder say: captions by the picture's path, how many rows named no picture of the source
    and the first of those names, and the files' names."""

    captions: dict[PurePosixPath, list[str]] = field(default_factory=dict)
    lost: int = 0
    first_lost: str = ""
    files: list[str] = field(default_factory=list)


def may_be_metadata(path: PurePath) -> bool:
    """Whether a file may be a table of captions, by its name."""
    return path.suffix.lower() in SUFFIXES or path.name.lower() == "captions.txt"


def read_metadata(
    leaves: Sequence[Leaf], pictures: "PictureNames", config: DataConfig
) -> dict[PurePosixPath, Metadata]:
    """What the tables among some files say, by the folder that they lie in. Raises `SourceError` for a `metadata` file
    that cannot be read or names no pictures; other files that are no such tables are passed over."""
    found: dict[PurePosixPath, Metadata] = {}
    for leaf in leaves:
        sure = leaf.path.name.lower() in _NAMES
        if leaf.problem or not may_be_metadata(leaf.path):
            continue
        if not sure and leaf.path.suffix.lower() == ".json" and leaf.path.with_suffix("") in pictures.beside:
            continue  # what is said of one picture
        try:
            rows = _rows(leaf)
            file_column, columns = _columns(rows, config, leaf.name)
        except SourceError:
            if sure:
                raise
            continue
        except (ValueError, KeyError, TypeError, csv.Error, OSError, pa.ArrowException) as error:
            if sure:
                raise SourceError(f"data.source: {printable(leaf.name)} cannot be read ({one_line(error)})") from error
            continue
        said = _said(rows, file_column, columns, leaf.path.parent, pictures)
        if said.captions or sure:
            said.files.append(leaf.path.name)
            found[leaf.path.parent] = _both(found.get(leaf.path.parent, Metadata()), said)
    return found


def _said(
    rows: Sequence[Row], file_column: str, columns: Sequence[str], folder: PurePosixPath, pictures: "PictureNames"
) -> Metadata:
    """What the rows of a table in `folder` say; a picture that is named without a caption is among its captions too."""
    said = Metadata()
    for row in rows:
        named = row.get(file_column)
        named = named.get("path") if isinstance(named, Mapping) else named
        if named is None or named == "":
            continue
        path = pictures.find(str(named), folder)
        if path is None:
            said.lost, said.first_lost = said.lost + 1, said.first_lost or str(named)
        else:
            texts = (text for column in columns for text in texts_in(row.get(column)))
            said.captions.setdefault(path, []).extend(texts)
    return said


def _both(one: Metadata, other: Metadata) -> Metadata:
    """What two tables of a folder say, each caption once."""
    captions = {
        path: list(dict.fromkeys([*one.captions.get(path, []), *other.captions.get(path, [])]))
        for path in {**one.captions, **other.captions}
    }
    return Metadata(captions, one.lost + other.lost, one.first_lost or other.first_lost, [*one.files, *other.files])


class PictureNames:
    """Finds the picture that a table names: as a path from the table's folder, else by the name alone, else by the name
    without its suffix or in another case, as long as there is one such picture."""

    def __init__(self, paths: Sequence[PurePosixPath]) -> None:
        self.beside = {path.with_suffix("") for path in paths}
        self._whole = {_plain(str(path)): path for path in paths}
        self._names = _single((path.name, path) for path in paths)
        self._stems = _single((PurePosixPath(path.name).stem, path) for path in paths)

    def find(self, named: str, folder: PurePosixPath) -> PurePosixPath | None:
        """The picture that a table in `folder` calls so; None if there is none, or more than one."""
        wanted = PurePosixPath(named.replace("\\", "/"))
        path = _plain(str(_normal(folder / wanted)))
        name = _plain(wanted.name).casefold()
        found = self._whole.get(path) or self._whole.get(_plain(str(_normal(wanted)))) or self._names.get(name)
        return found or self._stems.get(name) or self._stems.get(PurePosixPath(name).stem)


def _single(named: Iterator[tuple[str, PurePosixPath]]) -> dict[str, PurePosixPath]:
    """Paths by a name that only one has."""
    found: dict[str, PurePosixPath | None] = {}
    for name, path in named:
        key = _plain(name).casefold()
        found[key] = None if key in found else path
    return {name: path for name, path in found.items() if path is not None}


def _plain(name: str) -> str:
    """A name with composed accents: file systems of Apple store them apart."""
    return unicodedata.normalize("NFC", name)


def _normal(path: PurePosixPath) -> PurePosixPath:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return PurePosixPath(*parts)


def _rows(leaf: Leaf) -> list[Row]:
    """The rows of a table. Raises ValueError and the errors of the libraries."""
    content, suffix = leaf.content(), leaf.path.suffix.lower()
    if suffix == ".parquet":
        table = pq.ParquetFile(io.BytesIO(content))
        if any(_holds_bytes(kind.type) for kind in table.schema_arrow):
            raise ValueError("it holds pictures itself")
        return table.read().to_pylist()
    text = decoded(content)
    if suffix == ".jsonl":
        return [_row(line, number) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if suffix == ".json":
        return _json_rows(json.loads(text))
    first = text.partition("\n")[0]
    delimiter = max("\t,;|", key=first.count)
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def _row(line: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number} is no JSON: {one_line(error)}") from error
    if not isinstance(row, dict):
        raise ValueError(f"line {number} is no JSON object")
    return row


def _json_rows(stored: Any) -> list[Row]:
    """The rows of a JSON file: a list of them, COCO's two lists, or captions by file name."""
    if isinstance(stored, dict) and isinstance(stored.get("images"), list):
        names = {image["id"]: image["file_name"] for image in stored["images"]}
        said = stored["annotations"]
        return [{"file_name": names[one["image_id"]], "caption": one["caption"]} for one in said]
    if isinstance(stored, dict):
        return [{"file_name": name, "caption": said} for name, said in stored.items()]
    if isinstance(stored, list) and all(isinstance(row, dict) for row in stored):
        return stored
    raise ValueError("it is no list of rows")


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(_holds_bytes(inner.type) for inner in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _columns(rows: Sequence[Row], config: DataConfig, where: str) -> tuple[str, list[str]]:
    """The column that names pictures, and those of captions. Raises ValueError where there is none of the first, and
    `SourceError` where the column that was asked for is not there."""
    names = list(dict.fromkeys(name for row in rows[:_SEEN] for name in row if name))
    plain = {name.strip().lower(): name for name in reversed(names)}
    wanted = [config.image_column] if config.image_column != "image" else []
    file_column = next((plain[name.lower()] for name in [*wanted, *FILE_COLUMNS] if name.lower() in plain), None)
    if file_column is None:
        raise ValueError(f"no column file_name; it has {', '.join(names[:9]) or 'no rows'}")
    if config.caption_column is not None:
        if config.caption_column not in names:
            raise SourceError(f"data.caption_column: {printable(where)} has {names}, not {config.caption_column!r}")
        return file_column, [config.caption_column]
    others = [name for name in names if name != file_column and _says_something(rows[:_SEEN], name)]
    return file_column, caption_columns(others)


def _says_something(rows: Sequence[Row], name: str) -> bool:
    return any(letter.isalpha() for row in rows for text in texts_in(row.get(name)) for letter in text)
