"""One schema from any source of pictures: `id`, `image`, `caption` and, where known, a column for each trait.

nouns                 composed characters, offline
hf://owner/name       a data set of the Hugging Face hub, for example hf://m1guelpf/nouns
path/to/file.parquet  one Parquet file, or a folder of them
path/to/folder        a folder of PNG, JPEG or WebP files, without captions
"""

from collections.abc import Iterator
from pathlib import Path

import datasets
import numpy as np

from swiggle.config import DataConfig
from swiggle.data.nouns import captions_for, draw_traits
from swiggle.data.pixels import PictureError, decode_picture, encode_png, resize, square
from swiggle.data.splits import SPLITS, split_of
from swiggle.data.sprites import SLOTS, load_sprites

FEATURES = datasets.Features(
    {
        "id": datasets.Value("int64"),
        "image": datasets.Image(),
        "caption": datasets.Value("string"),
        **{slot: datasets.Value("string") for slot in SLOTS},
    }
)
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}


class SourceError(ValueError):
    """A source that cannot be read; the message names it."""


def read_source(config: DataConfig, image_size: int, skipped: list[str]) -> Iterator[dict]:
    """Rows of the schema. Pictures larger than `image_size` are brought down to it; unreadable ones are named
    in `skipped` and left out. Raises `SourceError`."""
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
            skipped.append(f"{name}: {error}")
            continue
        if picture.shape[0] > image_size:
            picture = resize(picture, image_size)
        yield {"id": number, "image": _stored(picture), "caption": caption, **dict.fromkeys(SLOTS)}


def write_splits(config: DataConfig, image_size: int, folder: Path) -> tuple[dict[str, int], list[str]]:
    """Write `folder/<split>/part-0.parquet` for each split; returns the rows in each and the pictures skipped.

    Raises `SourceError` when nothing at all could be read.
    """
    skipped: list[str] = []
    rows: dict[str, list[dict]] = {split: [] for split in SPLITS}
    for row in read_source(config, image_size, skipped):
        rows[split_of(row["id"])].append(row)
    if any(not part for part in rows.values()):
        raise SourceError(
            f"data.source={config.source!r} gave {sum(map(len, rows.values()))} usable pictures, too few to split"
            + (f"; skipped {len(skipped)}, first {skipped[0]}" if skipped else "")
        )
    for split, part in rows.items():
        (folder / split).mkdir()
        datasets.Dataset.from_list(part, features=FEATURES).to_parquet(str(folder / split / "part-0.parquet"))
    return {split: len(part) for split, part in rows.items()}, skipped


def _stored(picture: np.ndarray) -> dict:
    return {"bytes": encode_png(picture), "path": None}


def _nouns_rows(config: DataConfig) -> Iterator[dict]:
    if config.count is None:
        raise SourceError("data.count: the nouns source composes pictures and needs a number")
    sprites = load_sprites()
    traits = draw_traits(sprites, config.count, config.seed)
    texts = captions_for(sprites, traits, config.seed)
    for number, (row, picture, text) in enumerate(zip(traits, sprites.render(traits), texts, strict=True)):
        named = {slot: sprites.names[slot][value] for slot, value in zip(SLOTS, row, strict=True)}
        yield {"id": number, "image": _stored(picture), "caption": text, **named}


def _is_image_folder(source: str) -> bool:
    folder = Path(source)
    return folder.is_dir() and not any(folder.glob("*.parquet"))


def _folder_rows(folder: Path) -> Iterator[tuple[str, bytes, str | None]]:
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES):
        yield str(path), path.read_bytes(), None


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
        image = row[config.image_column]
        content = image["bytes"] if image["bytes"] is not None else Path(image["path"]).read_bytes()
        yield f"row {number}", content, row[column] if column else None
