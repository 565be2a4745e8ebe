"""Pictures of a table: Parquet files, a data set of the Hugging Face hub, or one that `datasets` saved to a folder.

Columns are checked before a picture is read, and rows are read as they are asked for.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.config import DataConfig
from swiggle.data.caption_text import CAPTION_NAMES, caption_columns, class_name, texts_in
from swiggle.data.raw import Note, Raw, SourceError, no_picture, one_line, printable

_SURE = ("caption", "text")
"""Columns that hold captions and nothing else: another type in them is a mistake."""
_BATCH = 16
"""Rows of a Parquet file that are in memory at once, and bytes that are read ahead."""
_BUFFER = 1 << 20


@dataclass(frozen=True)
class Columns:
    """Which column holds the pictures and which ones captions; `classes`: names of the classes that a column holds as
    numbers."""

    image: str
    captions: tuple[str, ...] = ()
    classes: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys([self.image, *self.captions]))

    @property
    def origin(self) -> str:
        """What a caption comes from, in words."""
        listed = ", ".join(repr(name) for name in self.captions)
        of = "class names of " if self.captions and self.captions[0] in self.classes else ""
        return f"{of}column {listed}" if len(self.captions) == 1 else f"columns {listed}"

    def texts(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The captions of a row, without repetitions."""
        return tuple(dict.fromkeys(text for name in self.captions for text in self._texts(name, row[name])))

    def _texts(self, column: str, value: Any) -> tuple[str, ...]:
        names = self.classes.get(column)
        if names is None:
            return texts_in(value)
        numbers = value if isinstance(value, list | tuple) else [value]
        known = [class_name(names[n]) for n in numbers if isinstance(n, int) and 0 <= n < len(names)]
        return (", ".join(known),) if known else ()


def find_columns(schema: pa.Schema, classes: Mapping[str, list[str]], config: DataConfig, where: str) -> Columns:
    """The columns to read of a table. `classes` names the classes of columns that hold them as numbers; `where` names
    the table. Raises `SourceError` for a column that is not there or of a type that cannot be read."""
    image = _image_column(schema, config, where)
    asked = [config.caption_column] if config.caption_column else [n for n in _SURE if n in schema.names][:1]
    if config.caption_column and config.caption_column not in schema.names:
        raise SourceError(f"data.caption_column: {where} has {schema.names}, not {config.caption_column!r}")
    texts = [name for name in schema.names if name != image and _is_said(schema.field(name).type)]
    named = [name for name in classes if name in schema.names and _holds_numbers(schema.field(name).type)]
    used = {name: list(classes[name]) for name in named}
    if asked:
        if asked[0] not in [*texts, *named]:
            raise SourceError(
                f"data.caption_column: {where} holds {_short(schema.field(asked[0]).type)} in {asked[0]!r}; a caption "
                "is a text, a list of texts or the name of a class; columns of text are "
                f"{', '.join(name for name in texts if _is_text(schema.field(name).type)) or 'none'}"
            )
        return Columns(image, (asked[0],), used)
    both = [name for name in schema.names if name in texts or name in named]
    return Columns(image, tuple(caption_columns(both) or caption_columns(texts)), used)


def _image_column(schema: pa.Schema, config: DataConfig, where: str) -> str:
    column = config.image_column
    if column not in schema.names and column == "image":  # the only one that holds pictures, whatever it is called
        holding = [f.name for f in schema if _holds_pictures(f.type) and not _is_text(f.type)]
        column = holding[0] if len(holding) == 1 else column
    if column not in schema.names:
        raise SourceError(f"data.image_column: {where} has {schema.names}, not {column!r}")
    if not _holds_pictures(kind := schema.field(column).type):
        raise SourceError(
            f"data.image_column: {where} holds {_short(kind)} in {column!r}; a picture is the bytes of a PNG, JPEG or "
            "WebP file, a path, or both as `bytes` and `path`"
        )
    return column


def _is_said(kind: pa.DataType) -> bool:
    """Whether a column can hold captions: texts, lists of them, and COCO's lists of `raw` sentences."""
    if _is_list(kind):
        return _is_said(kind.value_type) or _is_sentence(kind.value_type)
    return _is_text(kind)


def _is_sentence(kind: pa.DataType) -> bool:
    return pa.types.is_struct(kind) and any(f.name in (*CAPTION_NAMES, "raw") and _is_text(f.type) for f in kind)


def _holds_numbers(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or (_is_list(kind) and pa.types.is_integer(kind.value_type))


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


def remark_on(columns: Columns, config: DataConfig, note: Note) -> None:
    """Say where captions could come from."""
    if not columns.captions and len(columns.classes) > 1:
        listed = ", ".join(repr(name) for name in columns.classes)
        note(config.source, "remark", f"{listed} name classes, and data.caption_column can take one as caption")


def parquet_rows(files: Sequence[Path], config: DataConfig, note: Note) -> Iterator[Raw]:
    """The rows of Parquet files, one file after the other. Raises `SourceError`."""
    found = []
    for file in files:
        opened = _open(file)
        classes = _classes(opened.schema_arrow)
        found.append(find_columns(opened.schema_arrow, classes, config, str(file)))
        if file == files[0]:
            remark_on(found[0], config, note)
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
        with file.open("rb") as opened:
            what = no_picture(opened.read(64))
        why = what if "LFS" in what else one_line(error)
        raise SourceError(f"data.source: {printable(str(file))} is no readable Parquet file ({why})") from error


def _next(rows: Iterator[Any], where: str) -> Any:
    """The next of some rows, None after the last."""
    try:
        return next(rows, None)
    except (pa.ArrowException, datasets.exceptions.DatasetsError, OSError) as error:
        raise SourceError(f"data.source: {where} cannot be read to its end ({one_line(error)})") from error


def _classes(schema: pa.Schema) -> dict[str, list[str]]:
    """The names of classes that `datasets` stores with a table, by column."""
    try:
        stored = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = datasets.Features.from_dict((stored.get("info") or {}).get("features") or {})
    except (ValueError, TypeError, KeyError, AttributeError):  # written by a later release, or by something else
        return {}
    return _named_classes(features)


def _named_classes(features: datasets.Features) -> dict[str, list[str]]:
    """The names of the classes of columns of them, or of lists of them."""
    inner = {name: getattr(kind, "feature", kind) for name, kind in features.items()}
    return {
        name: list(kind.names) for name, kind in inner.items() if isinstance(kind, datasets.ClassLabel) and kind.names
    }


def _raw(name: str, row: dict[str, Any], columns: Columns, beside: Path | None = None) -> Raw:
    """A row as a picture. Paths that are not found as they are may be relative to the table's folder."""
    image = row[columns.image]
    if isinstance(image, dict):
        image = image.get("bytes") or image.get("path")
    if not image:
        return Raw(name, problem="no picture in this row")
    texts = columns.texts(row)
    if isinstance(image, bytes):
        return Raw(name, image, texts, columns.origin)
    for path in [Path(image), *([beside / image] if beside else [])]:
        if path.is_file():
            return Raw(name, path.read_bytes(), texts, columns.origin)
    return Raw(name, problem=f"there is no file {image}")


def hub_rows(config: DataConfig, note: Note) -> Iterator[Raw]:
    """The rows of a data set of the hub, of `data.split` or of all its splits; of a part of it no more is loaded.
    Raises `SourceError`."""
    offline = datasets.config.HF_HUB_OFFLINE
    try:
        found = datasets.load_dataset(
            config.source.removeprefix("hf://"),
            config.subset,
            split=config.split,
            # What was downloaded before is found only by the other way.
            streaming=config.count is not None and not offline,
        )
    # `datasets` answers an unknown split or a missing configuration with a plain ValueError.
    except (datasets.exceptions.DatasetsError, OSError, ValueError) as error:
        text = one_line(error)
        hint = (
            "data.subset names one"
            if "onfig name is missing" in text or "BuilderConfig" in text
            else "data.split names one"
            if "nknown split" in text or "ad split" in text
            else "HF_HUB_OFFLINE is set, so only what was downloaded before can be read"
            if offline
            else "needed are the network, owner/name of a set, and for a gated one `hf auth login`"
        )
        raise SourceError(f"data.source: {config.source} cannot be loaded ({text}); {hint}") from error
    yield from _rows_of_splits(found, config, note)


def saved_rows(folder: Path, config: DataConfig, note: Note) -> Iterator[Raw]:
    """The rows of what `save_to_disk` of `datasets` wrote. Raises `SourceError`."""
    try:
        found = datasets.load_from_disk(str(folder))
        if config.split is not None:
            found = found[config.split] if isinstance(found, dict) else found
    except KeyError as error:
        names = ", ".join(found)
        raise SourceError(f"data.split: {folder} has {names}, not {config.split!r}") from error
    except (datasets.exceptions.DatasetsError, OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"data.source: {folder} cannot be loaded ({one_line(error)})") from error
    yield from _rows_of_splits(found, config, note)


def is_saved(folder: Path) -> bool:
    """Whether `datasets` saved a set to this folder."""
    return (folder / "dataset_dict.json").is_file() or all(
        (folder / name).is_file() for name in ("dataset_info.json", "state.json")
    )


def _rows_of_splits(found: Any, config: DataConfig, note: Note) -> Iterator[Raw]:
    """The rows of a set, or of each of its splits."""
    splits = dict(found) if isinstance(found, dict) else {"": found}
    if len(splits) > 1:
        note(config.source, "remark", about_splits(list(splits)))
    for split, whole in splits.items():
        features = whole.features or whole._resolve_features().features  # a stream may know them with its first row
        columns = find_columns(features.arrow_schema, _named_classes(features), config, config.source)
        if whole is next(iter(splits.values())):
            remark_on(columns, config, note)
        table = whole.select_columns(columns.names)
        if isinstance(features[columns.image], datasets.Image):
            table = table.cast_column(columns.image, datasets.Image(decode=False))
        rows, number = iter(table), 0
        while (row := _next(rows, config.source)) is not None:
            yield _raw(f"{split} row {number}".strip(), row, columns)
            number += 1


def about_splits(names: Sequence[str]) -> str:
    """What is done with the splits that a set has."""
    return f"its splits {', '.join(names)} are read as one set and divided anew; data.split takes one of them alone"
