"""One schema from any source of pictures: `id`, `image`, `caption`.

nouns, dicebear       a composed set (`swiggle.composition`), offline; its traits go into a table of their own
hf://owner/name       a data set of the Hugging Face hub, for example hf://m1guelpf/nouns
path/to/file.parquet  one Parquet file, or a folder of them
path/to/folder        a folder of PNG, JPEG, WebP or BMP files, without captions; other files are named and skipped
"""

import csv
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.composition import SETS, Composition, composition_of
from swiggle.config import DataConfig
from swiggle.data.folders import files_below, folder_rows
from swiggle.data.pixels import PictureError, decode_import, decode_picture, encode_png, oddities, resize, square
from swiggle.data.raw import Note, Raw, SourceError, no_picture, printable
from swiggle.data.reading import TRAITS
from swiggle.data.splits import SPLITS, PictureIds, content_of, hold_out, split_of
from swiggle.data.tables import hub_rows, parquet_rows

__all__ = ["FEATURES", "PART_ROWS", "REPORT", "Import", "Note", "SourceError", "read_source", "write_splits"]

FEATURES = datasets.Features(
    {
        "id": datasets.Value("int64"),
        "image": datasets.Image(),
        "caption": datasets.Value("string"),
    }
)
PART_ROWS = 8_192
"""Rows a Parquet file: what is in memory at once while a source is read, and what a streaming reader takes at once."""
REPORT = "import_report.csv"
_AT_ONCE = 1_024
"""Pictures that are drawn at once."""
_PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp"}


@dataclass
class Import:
    """What became of a source: rows in each split, and how many pictures were skipped or converted.

    `notes` holds the first hundred as "name: skipped, why"; all of them are in the folder's `import_report.csv`.
    `remarks` are sentences about the source as a whole: what is not as one would think.
    """

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    skipped: int = 0
    converted: int = 0
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_source(config: DataConfig, image_size: int, note: Note = lambda name, what, why: None) -> Iterator[dict]:
    """Rows of the schema, each with its `split`, `data.count` usable pictures at most. Pictures larger than
    `image_size` are brought down to it.

    `note` is told of each picture that is unreadable and left out, of each that was no square RGB picture and became
    one, and of what there is to remark about the source. Raises `SourceError`.
    """
    if config.count is not None and config.count < 1:
        raise SourceError(f"data.count: {config.count} pictures are none; a number from 1, or null for all, is needed")
    if (composition := composition_of(config.source)) is not None:
        yield from _composed_rows(composition, config)
        return
    ids, usable = PictureIds(), 0
    for raw in _raw_rows(config, note):
        name = printable(raw.name)
        if problem := raw.problem or no_picture(raw.content[:64]):
            note(name, "skipped", problem)
            continue
        try:
            picture = square(decode_import(raw.content, image_size))
        except PictureError as error:
            note(name, "skipped", str(error))
            continue
        if odd := oddities(raw.content):
            note(name, "converted", odd)
        if picture.shape[0] > image_size:
            picture = resize(picture, image_size)
        content = content_of(picture, image_size)
        yield {"id": ids.of(content), "image": _stored(picture), "caption": raw.caption, "split": split_of(content)}
        usable += 1
        if usable == config.count:  # before another picture is read
            return


def write_splits(config: DataConfig, image_size: int, folder: Path) -> Import:
    """Write `folder/<split>/part-*.parquet` for each split and `folder/import_report.csv`, a part at a time; of a
    composed set `folder/_traits.parquet` too.

    Where a split would be empty, pictures are held out of train for it (`hold_out`), which is remarked; a split that
    stays empty has a file without rows. Raises `SourceError` for fewer than two usable pictures.
    """
    done = Import()
    uncaptioned = 0
    with (folder / REPORT).open("w", newline="", encoding="utf-8") as file:
        report = csv.writer(file)
        report.writerow(["picture", "what", "why"])

        def note(name: str, what: str, why: str) -> None:
            if what == "remark":
                done.remarks.append(why)
                return
            report.writerow([name, what, why])
            done.skipped += what == "skipped"
            done.converted += what == "converted"
            if len(done.notes) < 100:
                done.notes.append(f"{name}: {what}, {why}")

        parts = _Parts(folder, done.rows)
        for row in read_source(config, image_size, note):
            parts.add(row["split"], row)
            uncaptioned += not (row["caption"] or "").strip()
        parts.close()
    total = sum(done.rows.values())
    if total < 2:
        raise SourceError(
            f"data.source: {config.source!r} gave {total or 'no'} pictures that can be used, too few to train on"
            + (f"; skipped {done.skipped}, first {done.notes[0]}" if done.skipped else "")
        )
    if not all(done.rows.values()):
        done.rows = _divide_anew(folder, lambda row: _key_of(row, config, image_size))
        done.remarks.append(_about_few(done.rows))
    if (composition := composition_of(config.source)) is not None:
        _write_traits(composition, _drawn(composition, config), folder / TRAITS)
    if uncaptioned:
        done.remarks.append(_about_captions(uncaptioned, total, config))
    return done


class _Parts:
    """Writes the Parquet files of all splits, and counts their rows in `rows`."""

    def __init__(self, folder: Path, rows: dict[str, int]) -> None:
        self.folder, self.rows = folder, rows
        self.waiting: dict[str, list[dict]] = {split: [] for split in SPLITS}

    def add(self, split: str, row: dict) -> None:
        self.waiting[split].append(row)
        if len(self.waiting[split]) == PART_ROWS:
            self._write(split)

    def _write(self, split: str) -> None:
        waiting = self.waiting[split]
        (self.folder / split).mkdir(exist_ok=True)
        target = self.folder / split / f"part-{self.rows[split] // PART_ROWS:05}.parquet"
        pq.write_table(pa.Table.from_pylist(waiting, schema=FEATURES.arrow_schema), target)
        self.rows[split] += len(waiting)
        waiting.clear()

    def close(self) -> None:
        """Write what waits, and a file without rows where there is none."""
        for split in SPLITS:
            if self.waiting[split] or not self.rows[split]:
                self._write(split)


def _divide_anew(folder: Path, key_of: Callable[[dict], int]) -> dict[str, int]:
    """Divide what was written so that no split is empty that need not be. Returns the rows of each split."""
    first = [path.rename(path.with_suffix(f".{split}")) for split in SPLITS for path in (folder / split).iterdir()]
    counts = Counter(key_of(row) for path in first for row in pq.read_table(path).to_pylist())
    splits = hold_out(counts)
    parts = _Parts(folder, dict.fromkeys(SPLITS, 0))
    for path in first:
        for row in pq.read_table(path).to_pylist():
            parts.add(splits[key_of(row)], row)
        path.unlink()
    parts.close()
    return parts.rows


def _key_of(row: dict, config: DataConfig, image_size: int) -> int:
    """What the split of a stored picture goes by."""
    return row["id"] if config.source in SETS else content_of(decode_picture(row["image"]["bytes"]), image_size)


def _about_few(rows: dict[str, int]) -> str:
    held = [f"{rows[split]} for {split}" for split in ("validation", "test") if rows[split]]
    left_out = [split for split in ("validation", "test") if not rows[split]]
    return (
        f"too few of {sum(rows.values())} pictures look different for a split by rule: "
        + (f"held out are {' and '.join(held)}" if held else "none is held out")
        + (f", scores on {' and '.join(left_out)} pictures are left out" if left_out else "")
        + "; such a set promises no fixed splits, a picture that is added may move others"
    )


def _about_captions(missing: int, total: int, config: DataConfig) -> str:
    if missing < total:
        return f"{missing} of {total} pictures have no caption and say nothing about features"
    way = "only tables have them" if _is_folder_of_pictures(config) else "data.caption_column names a column of them"
    return f"no captions found, so features get no labels and prompts find none of them; {way}"


def _stored(picture: np.ndarray) -> dict:
    return {"bytes": encode_png(picture), "path": None}


def _drawn(composition: Composition, config: DataConfig) -> np.ndarray:
    """The traits of the pictures that a composed set is made of, int [N, slots]; picture i has the id i."""
    if config.count is None:
        raise SourceError(f"data.count: the {config.source} source composes pictures and needs a number")
    return composition.draw(config.count, config.seed)


def _composed_rows(composition: Composition, config: DataConfig) -> Iterator[dict]:
    traits = _drawn(composition, config)
    captions = composition.captions(traits, config.seed)
    for start in range(0, len(traits), _AT_ONCE):
        for number, picture in enumerate(composition.render(traits[start : start + _AT_ONCE]), start=start):
            yield {
                "id": number, "image": _stored(picture), "caption": captions[number], "split": split_of(number),
            }  # fmt: skip


def _write_traits(composition: Composition, traits: np.ndarray, path: Path) -> None:
    named = {
        slot: [composition.names(slot)[value] for value in traits[:, column]]
        for column, slot in enumerate(composition.slots)
    }
    pq.write_table(pa.table({"id": np.arange(len(traits)), **named}), path)


def _is_folder_of_pictures(config: DataConfig) -> bool:
    path = Path(config.source).expanduser()
    return not config.source.startswith("hf://") and path.is_dir() and not _tables_in(path)


def _tables_in(folder: Path) -> list[Path]:
    """The Parquet files of a folder that is a table: some lie in it, or some below it and no pictures."""
    if here := sorted(path for path in folder.glob("*.parquet") if not path.name.startswith(".")):
        return here
    files = files_below(folder)[0]
    if any(path.suffix.lower() in _PICTURE_SUFFIXES for path in files):
        return []
    return [path for path in files if path.suffix.lower() == ".parquet"]


def _raw_rows(config: DataConfig, note: Note) -> Iterator[Raw]:
    source = config.source
    if source.startswith("hf://"):
        return hub_rows(config, note)
    path = Path(source).expanduser()
    if path.is_dir():
        tables = _tables_in(path)
        if len(tables) > 1:
            shown = ", ".join(printable(str(table.relative_to(path))) for table in [tables[0], tables[-1]])
            note(source, "remark", f"{len(tables)} Parquet files ({shown}) are read as one set and split anew")
        return parquet_rows(tables, config, note) if tables else folder_rows(path, note)
    if path.is_file():
        _refuse_other_files(path)
        return parquet_rows([path], config, note)
    if "://" in source:
        raise SourceError(f"data.source: {source} is not read from there; copy it to a local folder, or name hf://...")
    names = " or ".join(repr(name) for name in SETS)
    hint = f", or is hf://{source} meant?" if source.count("/") == 1 and source[0] not in "./~" else ""
    raise SourceError(f"data.source: {source!r} is no file, folder, hub name (hf://owner/name) or {names}{hint}")


def _refuse_other_files(path: Path) -> None:
    """Raises `SourceError` for a file that is no Parquet file."""
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"PAR1"):
        return
    if zipfile.is_zipfile(path):
        kind, instead = "a zip archive", "unpack it and name the folder"
    elif head and tarfile.is_tarfile(path):
        kind, instead = "a tar archive", "unpack it and name the folder"
    elif not (problem := no_picture(head)):
        kind, instead = "one picture", "name the folder it is in"
    else:
        kind, instead = f"no Parquet file ({problem})", "a Parquet file or a folder of pictures is needed"
    raise SourceError(f"data.source: {printable(str(path))} is {kind}; {instead}")
