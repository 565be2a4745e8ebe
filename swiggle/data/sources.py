"""One schema from any source of pictures: `id`, `image`, `caption`.

nouns, dicebear       a composed set (`swiggle.composition`), offline; its traits go into a table of their own
hf://owner/name       a data set of the Hugging Face hub, for example hf://m1guelpf/nouns
path/to/file.parquet  one Parquet file, a folder of them, a clone of a hub set, or what `save_to_disk` wrote
path/to/folder        pictures by their content, with whatever is said of them there (`folders.py`); other files are
                      named and skipped
path/to/archive       a zip or tar of such a folder, or of WebDataset's samples

All captions of a picture stand in `caption`, one after the other (`caption_text.one_caption`), so that all of them
count wherever captions are read.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.composition import SETS, Composition, composition_of
from swiggle.config import DataConfig
from swiggle.data.archives import is_archive
from swiggle.data.caption_text import one_caption
from swiggle.data.fitting import fit
from swiggle.data.folders import archive_rows, folder_rows
from swiggle.data.hub_clones import tables_in
from swiggle.data.metadata_files import may_be_metadata
from swiggle.data.pixels import PictureError, decode_import, decode_picture, encode_png, oddities
from swiggle.data.raw import Note, Raw, SourceError, no_picture, printable
from swiggle.data.reading import TRAITS
from swiggle.data.splits import SPLITS, PictureIds, content_of, hold_out, split_of
from swiggle.data.tables import hub_rows, is_saved, parquet_rows, saved_rows
from swiggle.data.understood import Understood

__all__ = [
    "FEATURES",
    "PART_ROWS",
    "REPORT",
    "Import",
    "Note",
    "SourceError",
    "raw_pictures",
    "read_source",
    "write_splits",
]

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


@dataclass
class Import:
    """What became of a source: rows in each split, and how many pictures were skipped or converted.

    `understood` says in a line what the source is taken for, and `works` in another what can be done with it. `notes`
    holds the first hundred as "name: skipped, why"; all of them are in the folder's `import_report.csv`. `remarks` are
    sentences about the source as a whole: what is not as one would think.
    """

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    skipped: int = 0
    converted: int = 0
    understood: str = ""
    works: str = ""
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_source(config: DataConfig, image_size: int, note: Note = lambda name, what, why: None) -> Iterator[dict]:
    """Rows of the schema, each with its `split`, `data.count` usable pictures at most. Pictures are brought to
    `image_size` (`fitting.py`). Rows of imported pictures also tell their `size` [2] as it was, width and height, how
    many captions they have, `said`, and the `origin` of these.

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
            picture = decode_import(raw.content, image_size, config.ground)
            size, odd = oddities(raw.content)
        except PictureError as error:
            note(name, "skipped", str(error))
            continue
        if odd:
            note(name, "converted", odd)
        content = content_of(picture, image_size)
        yield {
            "id": ids.of(content), "image": _stored(fit(picture, image_size)), "caption": one_caption(raw.captions),
            "split": split_of(content), "size": size, "said": len(raw.captions), "origin": raw.origin,
        }  # fmt: skip
        usable += 1
        if usable == config.count:  # before another picture is read
            return


def raw_pictures(config: DataConfig) -> Iterator[Raw]:
    """The pictures of a source that is no composed set as they come, undecoded. Raises `SourceError`."""
    return _raw_rows(config, lambda name, what, why: None)


def write_splits(config: DataConfig, image_size: int, folder: Path) -> Import:
    """Write `folder/<split>/part-*.parquet` for each split and `folder/import_report.csv`, a part at a time; of a
    composed set `folder/_traits.parquet` too.

    Where a split would be empty, pictures are held out of train for it (`hold_out`), which is remarked; a split that
    stays empty has a file without rows. Raises `SourceError` for fewer than two usable pictures.
    """
    done = Import()
    understood = Understood()
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
            understood.add(row)
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
    done.understood = understood.sentence(f"composed of {config.source}" if config.source in SETS else "")
    done.works = understood.what_works()
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


def _raw_rows(config: DataConfig, note: Note) -> Iterator[Raw]:
    source = config.source
    if source.startswith("hf://"):
        return hub_rows(config, note)
    path = Path(source).expanduser()
    if path.is_dir():
        if is_saved(path):
            return saved_rows(path, config, note)
        tables = tables_in(path, config, note)
        return parquet_rows(tables, config, note) if tables else folder_rows(path, config, note)
    if path.is_file():
        return _file_rows(path, config, note)
    if "://" in source:
        raise SourceError(f"data.source: {source} is not read from there; copy it to a local folder, or name hf://...")
    names = " or ".join(repr(name) for name in SETS)
    hint = f", or is hf://{source} meant?" if source.count("/") == 1 and source[0] not in "./~" else ""
    raise SourceError(f"data.source: {source!r} is no file, folder, hub name (hf://owner/name) or {names}{hint}")


def _file_rows(path: Path, config: DataConfig, note: Note) -> Iterator[Raw]:
    """The pictures of a Parquet file or an archive. Raises `SourceError` for any other file."""
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"PAR1"):
        return parquet_rows([path], config, note)
    if is_archive(path):
        return archive_rows(path, config, note)
    if not (problem := no_picture(head)):
        kind, instead = "one picture", "name the folder it is in"
    elif head and may_be_metadata(PurePath(path)) and path.suffix != ".parquet":
        kind, instead = "a table and no Parquet file", "name the folder that it and its pictures are in"
    else:
        kind = f"no Parquet file ({problem})"
        instead = "a folder of pictures, a zip or tar archive of one, or a Parquet file is needed"
    raise SourceError(f"data.source: {printable(str(path))} is {kind}; {instead}")
