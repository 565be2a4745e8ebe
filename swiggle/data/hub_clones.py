"""Folders that are data sets of the Hugging Face hub: clones of one, and plain folders of Parquet files."""

from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.config import DataConfig
from swiggle.data.file_tree import files_below
from swiggle.data.folders import PICTURE_SUFFIXES
from swiggle.data.raw import Note, SourceError, one_line, printable
from swiggle.data.tables import about_splits


def tables_in(folder: Path, config: DataConfig, note: Note) -> list[Path]:
    """The Parquet files of a folder that is a table: some lie in it, or some below it and no pictures. A table of
    captions beside pictures (`metadata.parquet`) is none of them. Of a clone, those of `data.subset` and `data.split`.
    Raises `SourceError` where there is no such subset or split."""
    files = files_below(folder)[0]
    parquet = [path for path in files if path.suffix.lower() == ".parquet" and not _is_metadata(path)]
    here = [path for path in parquet if path.parent == folder]
    if not here and any(path.suffix.lower() in PICTURE_SUFFIXES for path in files):
        parquet = []
    elif here:
        parquet = here
    if not parquet:
        return []
    if config.subset is not None or config.split is not None or _names_configurations(folder):
        return _of_clone(folder, config, note)
    if len(parquet) > 1:
        shown = ", ".join(printable(str(table.relative_to(folder))) for table in [parquet[0], parquet[-1]])
        note(config.source, "remark", f"{len(parquet)} Parquet files ({shown}) are read as one set and split anew")
    return parquet


def _names_configurations(folder: Path) -> bool:
    card = folder / "README.md"
    return card.is_file() and "\nconfigs:" in card.read_text("utf-8", "replace")


def _of_clone(folder: Path, config: DataConfig, note: Note) -> list[Path]:
    """The files of a clone as `datasets` finds them: by its card, else by the names of files and folders."""
    subset = config.subset
    try:
        known = datasets.get_dataset_config_names(str(folder))
        subset = subset or datasets.get_dataset_default_config_name(str(folder))
        if subset is None or subset not in known:
            raise SourceError(f"data.subset: {folder} has {', '.join(known)}; name one of them")
        builder = datasets.load_dataset_builder(str(folder), subset)
    except SourceError:
        raise
    except (datasets.exceptions.DatasetsError, OSError, ValueError) as error:
        raise SourceError(f"data.source: {folder} cannot be read ({one_line(error)})") from error
    splits = {str(split): files for split, files in (builder.config.data_files or {}).items()}
    if config.split is not None and config.split not in splits:
        raise SourceError(f"data.split: {folder} has {', '.join(splits)}, not {config.split!r}")
    if config.split is None and len(splits) > 1:
        note(config.source, "remark", about_splits(list(splits)))
    chosen = [config.split] if config.split is not None else list(splits)
    return list(dict.fromkeys(Path(file) for split in chosen for file in splits[split]))


def _is_metadata(path: Path) -> bool:
    """Whether a Parquet file speaks of pictures and holds none."""
    if path.name.lower() != "metadata.parquet":
        return False
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        return True  # what is wrong with it is said when it is read
    return not any(pa.types.is_struct(field.type) or pa.types.is_binary(field.type) for field in schema)
