"""Pictures of a table: Parquet files, or a data set of the Hugging Face hub.

Columns are checked before a picture is read, and rows are read as they are asked for.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.config import DataConfig
from swiggle.data.raw import Note, Raw, SourceError, one_line

_KNOWN = ("caption", "text")
_BATCH = 16
"""Rows of a Parquet file that are in memory at once, and bytes that are read ahead."""
_BUFFER = 1 << 20


@dataclass(frozen=True)
class Columns:
    """Which column holds the pictures and which the captions; `caption_of` makes a caption of a value of it."""

    image: str
    caption: str | None
    caption_of: Callable[[Any], str | None]

    @property
    def names(self) -> list[str]:
        return [self.image] if self.caption is None else list(dict.fromkeys([self.image, self.caption]))


def find_columns(schema: pa.Schema, classes: dict[str, list[str]], config: DataConfig, where: str) -> Columns:
    """The columns to read of a table. `classes` names the classes of columns that hold them as numbers; `where` names
    the table. Raises `SourceError` for a column that is not there or of a type that cannot be read."""
    if config.image_column not in schema.names:
        raise SourceError(f"data.image_column: {where} has {schema.names}, not {config.image_column!r}")
    if not _holds_pictures(kind := schema.field(config.image_column).type):
        raise SourceError(
            f"data.image_column: {where} holds {_short(kind)} in {config.image_column!r}; a picture is the bytes of a "
            "PNG, JPEG or WebP file, a path, or both as `bytes` and `path`"
        )
    known = [name for name in _KNOWN if name in schema.names] or [n for n in classes if n in schema.names]
    # Of several columns of classes none is more a caption than the others.
    column = config.caption_column or (known[0] if known and (known[0] in _KNOWN or len(known) == 1) else None)
    if column is None:
        return Columns(config.image_column, None, lambda value: None)
    if column not in schema.names:
        raise SourceError(f"data.caption_column: {where} has {schema.names}, not {column!r}")
    kind = schema.field(column).type
    if column in classes and pa.types.is_integer(kind):
        named = classes[column]
        return Columns(
            config.image_column,
            column,
            lambda value: named[value] if value is not None and 0 <= value < len(named) else None,
        )
    if _is_text(kind):
        return Columns(config.image_column, column, lambda value: value)
    if _is_list(kind) and _is_text(kind.value_type):
        return Columns(config.image_column, column, _all_sentences)
    texts = [name for name in schema.names if _is_text(schema.field(name).type)]
    raise SourceError(
        f"data.caption_column: {where} holds {_short(kind)} in {column!r}; a caption is a text, a list of texts or the "
        f"name of a class; columns of text are {', '.join(texts) or 'none'}"
    )


def _short(kind: pa.DataType) -> str:
    text = str(kind)
    return text if len(text) < 80 else text[:77] + "..."


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _holds_pictures(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return bool({"bytes", "path"} & {field.name for field in kind})
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    return bool(is_bytes or (_is_text(kind) and not pa.types.is_null(kind)))


def _all_sentences(texts: Sequence[str | None] | None) -> str | None:
    """All that is said of a picture as one text."""
    said = [text.strip() for text in texts or () if text and text.strip()]
    ended = [text if text[-1] in ".!?" else text + "." for text in said[:-1]]
    return " ".join([*ended, *said[-1:]]) or None


def remark_on(columns: Columns, classes: dict[str, list[str]], config: DataConfig, note: Note) -> None:
    """Say where captions come from if that was not asked for."""
    if config.caption_column is None and columns.caption in classes:
        note(config.source, "remark", f"captions are the names of the classes in {columns.caption!r}")
    if columns.caption is None and len(classes) > 1:
        listed = ", ".join(repr(name) for name in classes)
        note(config.source, "remark", f"{listed} name classes, and data.caption_column can take one as caption")


def parquet_rows(files: Sequence[Path], config: DataConfig, note: Note) -> Iterator[Raw]:
    """The rows of Parquet files, one file after the other. Raises `SourceError`."""
    found = []
    for file in files:
        opened = _open(file)
        classes = _classes(opened.schema_arrow)
        found.append(find_columns(opened.schema_arrow, classes, config, str(file)))
        if file == files[0]:
            remark_on(found[0], classes, config, note)
    for file, columns in zip(files, found, strict=True):
        rows, number = _open(file).iter_batches(_BATCH, columns=columns.names), 0
        prefix = f"{file.name} " if len(files) > 1 else ""
        while (batch := _next(rows, str(file))) is not None:
            for row in batch.to_pylist():
                yield _raw(f"{prefix}row {number}", row, columns, file.parent)
                number += 1


def _open(file: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file, buffer_size=_BUFFER)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"data.source: {file} is no readable Parquet file ({one_line(error)})") from error


def _next(rows: Iterator[Any], where: str) -> Any:
    """The next of some rows, None after the last."""
    try:
        return next(rows, None)
    except (pa.ArrowException, datasets.exceptions.DatasetsError, OSError) as error:
        raise SourceError(f"data.source: {where} cannot be read to its end ({one_line(error)})") from error


def _classes(schema: pa.Schema) -> dict[str, list[str]]:
    """The names of classes that `datasets` stores with a table, by column."""
    stored = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = (stored.get("info") or {}).get("features") or {}
    return {
        name: list(feature["names"])
        for name, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
    }


def _raw(name: str, row: dict[str, Any], columns: Columns, beside: Path | None = None) -> Raw:
    """A row as a picture. Paths that are not found as they are may be relative to the table's folder."""
    caption = None if columns.caption is None else columns.caption_of(row[columns.caption])
    image = row[columns.image]
    if isinstance(image, dict):
        image = image.get("bytes") or image.get("path")
    if not image:
        return Raw(name, caption=caption, problem="no picture in this row")
    if isinstance(image, bytes):
        return Raw(name, image, caption)
    for path in [Path(image), *([beside / image] if beside else [])]:
        if path.is_file():
            return Raw(name, path.read_bytes(), caption)
    return Raw(name, caption=caption, problem=f"there is no file {image}")


def hub_rows(config: DataConfig, note: Note) -> Iterator[Raw]:
    """The rows of the train split of a data set of the hub; of a part of it no more is loaded. Raises `SourceError`."""
    offline = datasets.config.HF_HUB_OFFLINE
    try:
        table = datasets.load_dataset(
            config.source.removeprefix("hf://"),
            split="train",
            # What was downloaded before is found only by the other way.
            streaming=config.count is not None and not offline,
        )
    # `datasets` answers an unknown split or a missing configuration with a plain ValueError.
    except (datasets.exceptions.DatasetsError, OSError, ValueError) as error:
        hint = (
            "HF_HUB_OFFLINE is set, so only what was downloaded before can be read"
            if offline
            else "needed are the network, owner/name of a set with a split `train`, and for a gated one `hf auth login`"
        )
        raise SourceError(f"data.source: {config.source} cannot be loaded ({one_line(error)}); {hint}") from error
    features = table.features or table._resolve_features().features  # a stream may not know them before its first row
    classes = {name: kind.names for name, kind in features.items() if isinstance(kind, datasets.ClassLabel)}
    columns = find_columns(features.arrow_schema, classes, config, config.source)
    remark_on(columns, classes, config, note)
    table = table.select_columns(columns.names)
    if isinstance(features[columns.image], datasets.Image):
        table = table.cast_column(columns.image, datasets.Image(decode=False))
    rows, number = iter(table), 0
    while (row := _next(rows, config.source)) is not None:
        yield _raw(f"row {number}", row, columns)
        number += 1
