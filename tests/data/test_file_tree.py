from pathlib import Path, PurePosixPath

import pytest

from swiggle.data import file_tree
from swiggle.data.file_tree import Leaf, files_below, is_theirs, leaves_below
from tests.data.made_sources import write


def test_files_of_a_folder_in_order(tmp_path: Path) -> None:
    write(tmp_path, {"b": "2", "a/c": "1", ".git/x": "", "a/.hidden": "", "__MACOSX/a": ""})
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a/round").symlink_to(tmp_path)
    files, unread = files_below(tmp_path)
    assert [path.name for path in files] == ["c", "b"]
    assert unread == {tmp_path / "gone": "a link that leads nowhere"}
    leaves = leaves_below(tmp_path)
    assert [str(leaf.path) for leaf in leaves] == ["a/c", "b", "gone"]
    assert [leaf.content() for leaf in leaves[:2]] == [b"1", b"2"]
    assert leaves[1].start() == b"2"
    assert leaves[2].problem


def test_a_file_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = Leaf(PurePosixPath("a"), "a", 1 << 30, bytes)
    with pytest.raises(OSError, match="536,870,912 bytes"):
        leaf.content()
    assert len(leaf.start()) == 64
    monkeypatch.setattr(file_tree, "FILE_BYTES", 100)
    assert len(Leaf(PurePosixPath("a"), "a", 0, lambda limit: bytes(min(limit, 100))).content()) == 100
    with pytest.raises(OSError, match="100 bytes"):  # of a size that is not known before
        Leaf(PurePosixPath("a"), "a", 0, bytes).content()


def test_hidden_files_are_not_theirs() -> None:
    assert [is_theirs(name) for name in ("a.png", ".a", "__MACOSX", "Thumbs.db")] == [True, False, False, False]
