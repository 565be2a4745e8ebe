"""One schema from any source of pictures: `id`, `image`, `caption` and, where known, a column for each trait.

nouns                 composed characters, offline
hf://owner/name       a data set of the Hugging Face hub, for example hf://m1guelpf/nouns
path/to/file.parquet  one Parquet file, or a folder of them
path/to/folder        a folder of PNG, JPEG or WebP files, without captions; other files in it are named and skipped
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.config import DataConfig
from swiggle.data.nouns import captions_for, draw_traits, rendered
from swiggle.data.pixels import PictureError, decode_picture, encode_png, oddities, resize, square
from swiggle.data.splits import SPLITS, split_of
from swiggle.data.sprites import SLOTS, load_sprites
from swiggle.errors import SwiggleError

FEATURES = datasets.Features(
    {
        "id": datasets.Value("int64"),
        "image": datasets.Image(),
        "caption": datasets.Value("string"),
        **{slot: datasets.Value("string") for slot in SLOTS},
    }
)
PART_ROWS = 8_192
"""Rows a Parquet file: what is in memory at once while a source is read, and what a streaming reader takes at once."""
REPORT = "import_report.csv"
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}

Note = Callable[[str, str, str], None]
"""(name of a picture, "skipped" or "converted", why or how)"""


class SourceError(SwiggleError, ValueError):
    """A source that cannot be read; the message names it."""


@dataclass
class Import:
    """What became of a source: rows in each split, and how many pictures were skipped or converted.

    `notes` holds the first hundred as "name: skipped, why"; all of them are in the folder's `import_report.csv`.
    """

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    skipped: int = 0
    converted: int = 0
    notes: list[str] = field(default_factory=list)


def read_source(config: DataConfig, image_size: int, note: Note = lambda name, what, why: None) -> Iterator[dict]:
    """Rows of the schema. Pictures larger than `image_size` are brought down to it; `note` is told of each that is
    unreadable and left out, and of each that was no square RGB picture and became one. Raises `SourceError`."""
    if config.source == "nouns":
        yield from _nouns_rows(config)
        return
    rows = _folder_rows(Path(config.source)) if _is_image_folder(config.source) else _table_rows(config)
    for number, (name, content, caption) in enumerate(rows):
        if config.count is not None and number >= config.count:
            return
        try:
            picture = square(decode_picture(content))
        except PictureError as error:
            note(name, "skipped", str(error))
            continue
        if odd := oddities(content):
            note(name, "converted", odd)
        if picture.shape[0] > image_size:
            picture = resize(picture, image_size)
        yield {"id": number, "image": _stored(picture), "caption": caption, **dict.fromkeys(SLOTS)}


def write_splits(config: DataConfig, image_size: int, folder: Path) -> Import:
    """Write `folder/<split>/part-*.parquet` for each split and `folder/import_report.csv`, a part at a time.

    Raises `SourceError` when too little could be read to fill every split.
    """
    done = Import()
    waiting: dict[str, list[dict]] = {split: [] for split in SPLITS}

    def write_part(split: str) -> None:
        rows = waiting[split]
        (folder / split).mkdir(exist_ok=True)
        target = folder / split / f"part-{done.rows[split] // PART_ROWS:05}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=FEATURES.arrow_schema), target)
        done.rows[split] += len(rows)
        rows.clear()

    with (folder / REPORT).open("w", newline="") as file:
        report = csv.writer(file)
        report.writerow(["picture", "what", "why"])

        def note(name: str, what: str, why: str) -> None:
            report.writerow([name, what, why])
            done.skipped += what == "skipped"
            done.converted += what == "converted"
            if len(done.notes) < 100:
                done.notes.append(f"{name}: {what}, {why}")

        for row in read_source(config, image_size, note):
            split = split_of(row["id"])
            waiting[split].append(row)
            if len(waiting[split]) == PART_ROWS:
                write_part(split)
    for split in SPLITS:
        if waiting[split]:
            write_part(split)
    if not all(done.rows.values()):
        raise SourceError(
            f"data.source={config.source!r} gave {sum(done.rows.values())} usable pictures, too few to split"
            + (f"; skipped {done.skipped}, first {done.notes[0]}" if done.skipped else "")
        )
    return done


def _stored(picture: np.ndarray) -> dict:
    return {"bytes": encode_png(picture), "path": None}


def _nouns_rows(config: DataConfig) -> Iterator[dict]:
    if config.count is None:
        raise SourceError("data.count: the nouns source composes pictures and needs a number")
    sprites = load_sprites()
    traits = draw_traits(sprites, config.count, config.seed)
    texts = captions_for(sprites, traits, config.seed)
    for number, (row, picture, text) in enumerate(zip(traits, rendered(sprites, traits), texts, strict=True)):
        named = {slot: sprites.names[slot][value] for slot, value in zip(SLOTS, row, strict=True)}
        yield {"id": number, "image": _stored(picture), "caption": text, **named}


def _is_image_folder(source: str) -> bool:
    folder = Path(source)
    return folder.is_dir() and not any(folder.glob("*.parquet"))


def _folder_rows(folder: Path) -> Iterator[tuple[str, bytes, str | None]]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        yield str(path), path.read_bytes() if path.suffix.lower() in _SUFFIXES else b"", None


def _table_rows(config: DataConfig) -> Iterator[tuple[str, bytes, str | None]]:
    if config.source.startswith("hf://"):
        table = datasets.load_dataset(config.source.removeprefix("hf://"), split="train")
    else:
        path = Path(config.source)
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not all(f.is_file() for f in files):
            raise SourceError(f"data.source: {config.source!r} is no file, folder, hub name or 'nouns'")
        table = datasets.load_dataset("parquet", data_files=[str(f) for f in files], split="train")
    if config.image_column not in table.column_names:
        raise SourceError(f"data.image_column: {config.source} has {table.column_names}, not {config.image_column!r}")
    known = [c for c in ("caption", "text") if c in table.column_names]
    column = config.caption_column or (known[0] if known else None)
    if column is not None and column not in table.column_names:
        raise SourceError(f"data.caption_column: {config.source} has {table.column_names}, not {column!r}")
    table = table.cast_column(config.image_column, datasets.Image(decode=False))
    for number, row in enumerate(table):
        image = row[config.image_column] or {}
        content = image.get("bytes")
        if content is None:
            path = Path(image.get("path") or "")
            content = path.read_bytes() if path.is_file() else b""
        yield f"row {number}", content, row[column] if column else None
