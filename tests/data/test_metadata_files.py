from pathlib import PurePosixPath

import pytest

from swiggle.config import DataConfig
from swiggle.data.file_tree import Leaf
from swiggle.data.metadata_files import PictureNames, may_be_metadata, read_metadata

PATHS = [PurePosixPath(name) for name in ("a/1.png", "a/2.PNG", "b/2.png", "b/x.jpg", "caf\u00e9.png")]


@pytest.mark.parametrize(
    ("named", "folder", "found"),
    [
        ("1.png", "a", "a/1.png"),
        ("./a/1.png", ".", "a/1.png"),
        ("../a/1.png", "b", "a/1.png"),
        ("a\\1.png", ".", "a/1.png"),
        ("a/1.png", "b", "a/1.png"),  # from the source's top
        ("/home/me/pics/1.png", ".", "a/1.png"),  # where it was made
        ("1", ".", "a/1.png"),
        ("x.jpeg", ".", "b/x.jpg"),
        ("cafe\u0301.png", ".", "caf\u00e9.png"),
        ("2.png", "b", "b/2.png"),
        ("2.png", ".", None),  # two are called so
        ("3.png", ".", None),
    ],
)
def test_pictures_are_found_by_what_tables_call_them(named: str, folder: str, found: str | None) -> None:
    path = PictureNames(PATHS).find(named, PurePosixPath(folder))
    assert path == (None if found is None else PurePosixPath(found))


def test_tables_of_one_folder_add_up() -> None:
    contents = {
        "a/metadata.csv": b"file_name,text\n1.png,one\n9.png,lost\n",
        "a/more.jsonl": b'{"image":"1","text":"two"}',
    }
    leaves = [
        Leaf(PurePosixPath(name), name, len(text), lambda n, text=text: text[:n]) for name, text in contents.items()
    ]
    found = read_metadata(leaves, PictureNames(PATHS), DataConfig())
    assert list(found) == [PurePosixPath("a")]
    table = found[PurePosixPath("a")]
    assert table.captions == {PurePosixPath("a/1.png"): ["one", "two"]}
    assert (table.lost, table.first_lost, table.files) == (1, "9.png", ["metadata.csv", "more.jsonl"])


def test_which_files_may_be_tables() -> None:
    names = ("metadata.jsonl", "x.CSV", "captions.txt", "notes.txt", "a.png")
    assert [may_be_metadata(PurePosixPath(name)) for name in names] == [True, True, True, False, False]
