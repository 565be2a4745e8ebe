"""Pictures of a folder or an archive, each with what is said of it.

What a file is is told by its content. What is said of a picture is, from the nearest to the farthest: a row of a table
(`metadata_files.py`) in its own folder or the nearest above that names it; files of text of the same name beside it,
`.txt`, `.caption`, `.json` or `.cls`, or elsewhere below the source if only one picture is called so; the folder that
it lies in, where folders are classes (`class_folders.py`).

The paths of all files and the rows of such tables are in memory at once, some 4 KiB a picture with a file of text
(40,000 of them: 142 MiB), twice that in a compressed tar; pictures and files of text one at a time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from swiggle.config import DataConfig
from swiggle.data import archives
from swiggle.data.caption_text import TEXT_BYTES, class_name, decoded, texts_in_file
from swiggle.data.class_folders import classes_of
from swiggle.data.file_tree import Leaf, leaves_below
from swiggle.data.metadata_files import Metadata, PictureNames, may_be_metadata, read_metadata
from swiggle.data.raw import Note, Raw, no_picture, printable

PICTURE_SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".avif",
}  # fmt: skip
BESIDE = (".caption", ".txt", ".json", ".cls")
_NO_PICTURES = {
    *BESIDE, *archives.SUFFIXES, ".jsonl", ".csv", ".tsv", ".parquet", ".md", ".yaml", ".yml", ".xml", ".html", ".py",
    ".npy", ".npz", ".svg",
}  # fmt: skip
_CLASS_LISTS = ("classes.txt", "classnames.txt", "class_names.txt", "labels.txt")
"""Names of classes, one a line, for pictures that have the number of one beside them (`.cls`)."""


def folder_rows(folder: Path, config: DataConfig, note: Note) -> Iterator[Raw]:
    """The pictures of a folder, and of archives in it one after the other. Raises `SourceError`."""
    leaves = _shuffled(leaves_below(folder), config)
    packed = [leaf for leaf in leaves if _is_packed(leaf)]
    files = _Files([leaf for leaf in leaves if not _is_packed(leaf)], config, note, whole=not packed)
    yield from files.rows()
    for leaf in packed:
        path = folder / leaf.path
        if archives.is_archive(path):
            yield from archive_rows(path, config, note, files)
        else:
            yield Raw(leaf.name, problem="an archive that cannot be read; zip and tar are")


def archive_rows(archive: Path, config: DataConfig, note: Note, outside: "_Files | None" = None) -> Iterator[Raw]:
    """The pictures of a zip or tar archive; tables of captions may lie in it or in the folder `outside` it. Raises
    `SourceError`."""
    with archives.opened(archive, str(archive)) as packed:
        leaves = packed if archives.is_sequential(archive) else _shuffled(packed, config)
        yield from _Files(leaves, config, note, outside, whole=outside is None).rows()


def _shuffled(leaves: list[Leaf], config: DataConfig) -> list[Leaf]:
    """Files in an order that each one's path alone decides where not all of them may be wanted: the first by name would
    be those of the first classes, and others once one is added."""
    if config.count is None or len(leaves) <= config.count:
        return leaves
    return sorted(leaves, key=lambda leaf: blake2b(str(leaf.path).encode("utf-8", "surrogateescape")).digest())


def _is_packed(leaf: Leaf) -> bool:
    return not leaf.problem and leaf.path.name.lower().endswith(archives.SUFFIXES)


class _Files:
    """The files of a folder or an archive: which of them are pictures, and what the others say of them."""

    def __init__(
        self,
        leaves: Sequence[Leaf],
        config: DataConfig,
        note: Note,
        outside: "_Files | None" = None,
        *,
        whole: bool,
    ) -> None:
        """`outside`: files that lie beside the archive. `whole`: these are all files there are, so that a row that
        names none of them has gone wrong."""
        self.leaves = leaves
        self.tables = [leaf for leaf in leaves if may_be_metadata(leaf.path)]
        self.pictures = [leaf.path for leaf in leaves if _is_picture(leaf)]
        if outside is not None:
            self.tables = [*self.tables, *outside.tables]
        names = PictureNames(self.pictures)
        self.metadata = read_metadata(self.tables, names, config)
        self.classes = classes_of(self.pictures)
        self.texts = _texts_by_picture(leaves, self.pictures)
        self.class_names: list[str] = _class_names(leaves) or (outside.class_names if outside is not None else [])
        for folder, table in self.metadata.items():
            if whole and table.lost:
                note(str(folder), "remark", _about_lost(folder, table))

    def rows(self) -> Iterator[Raw]:
        """The files in their order; those that say something of pictures are not among them."""
        about = {leaf.path for texts in self.texts.values() for leaf in texts}
        about |= {folder / name for folder, table in self.metadata.items() for name in table.files}
        about |= {leaf.path for leaf in self.leaves if self.class_names and leaf.path.name.lower() in _CLASS_LISTS}
        for leaf in self.leaves:
            if leaf.path in about:
                continue
            try:
                raw = self._raw(leaf)
            except OSError as error:
                raw = Raw(leaf.name, problem=f"cannot be read ({error.strerror or error})")
            yield raw

    def _raw(self, leaf: Leaf) -> Raw:
        if leaf.problem:
            return Raw(leaf.name, problem=leaf.problem)
        if leaf.path.suffix.lower() not in PICTURE_SUFFIXES and (problem := no_picture(leaf.start())):
            return Raw(leaf.name, problem=problem)
        content = leaf.content()
        if problem := no_picture(content[:64]):
            return Raw(leaf.name, problem=problem)
        texts, origin = self._said_of(leaf.path)
        return Raw(leaf.name, content, texts, origin)

    def _said_of(self, picture: PurePosixPath) -> tuple[tuple[str, ...], str]:
        """What is said of a picture, and by what."""
        for folder in picture.parents:
            table = self.metadata.get(folder)
            if table is not None and (texts := table.captions.get(picture)):
                return tuple(texts), " and ".join(table.files)
        found: dict[str, str] = {}
        for leaf in self.texts.get(picture, ()):
            for text in self._in_file(leaf):
                found.setdefault(text, leaf.path.suffix.lower())
        if found:
            return tuple(found), f"{' and '.join(sorted(set(found.values())))} files"
        if picture in self.classes:
            return (self.classes[picture],), "the names of folders"
        return (), ""

    def _in_file(self, leaf: Leaf) -> tuple[str, ...]:
        content = leaf.read(TEXT_BYTES)
        if leaf.path.suffix.lower() != ".cls":
            return texts_in_file(content, leaf.path.suffix.lower())
        number = decoded(content).strip()
        if number.isdecimal() and int(number) < len(self.class_names):
            return (class_name(self.class_names[int(number)]),)
        return (f"class {number}" if number.isdecimal() else class_name(number),) if number else ()


def _about_lost(folder: PurePosixPath, table: Metadata) -> str:
    where = printable(str(folder / ", ".join(table.files)))
    rows = "1 row" if table.lost == 1 else f"{table.lost:,} rows"
    return f"{rows} of {where} name no picture that is there, or more than one; first {table.first_lost!r}"


def _class_names(leaves: Sequence[Leaf]) -> list[str]:
    listed = (leaf for leaf in leaves if leaf.path.name.lower() in _CLASS_LISTS and not leaf.problem)
    return next((decoded(leaf.read(TEXT_BYTES)).splitlines() for leaf in listed), [])


def _is_picture(leaf: Leaf) -> bool:
    if leaf.problem:
        return False
    suffix = leaf.path.suffix.lower()
    if suffix in PICTURE_SUFFIXES or suffix in _NO_PICTURES:
        return suffix in PICTURE_SUFFIXES
    try:
        return not no_picture(leaf.start())
    except OSError:
        return False


def _texts_by_picture(leaves: Sequence[Leaf], pictures: Sequence[PurePosixPath]) -> dict[PurePosixPath, list[Leaf]]:
    """The files of text that are about each picture: `a.txt`, `a.png.txt` or, as WebDataset groups members by what
    comes before the first dot, `a.en.txt` for `a.png`; else one that lies elsewhere, if one picture is called so."""
    by_path: dict[PurePosixPath, list[PurePosixPath]] = {}
    for picture in pictures:
        for key in {picture, picture.with_suffix(""), _before_dot(picture)}:
            by_path.setdefault(key, []).append(picture)
    names = Counter(picture.stem for picture in pictures)
    single = {picture.stem: picture for picture in pictures if names[picture.stem] == 1}
    texts: dict[PurePosixPath, list[Leaf]] = {}
    for leaf in leaves:
        if leaf.problem or leaf.path.suffix.lower() not in BESIDE:
            continue
        found = by_path.get(leaf.path.with_suffix("")) or by_path.get(_before_dot(leaf.path)) or []
        if not found and leaf.path.stem in single:
            found = [single[leaf.path.stem]]
        for picture in found:
            texts.setdefault(picture, []).append(leaf)
    return texts


def _before_dot(path: PurePosixPath) -> PurePosixPath:
    return path.with_name(path.name.partition(".")[0] or path.name)
