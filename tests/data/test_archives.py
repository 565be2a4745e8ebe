"""Archives are read without being unpacked, and cannot be made to hurt."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from swiggle.data import archives, file_tree
from swiggle.data.sources import SourceError
from tests.data.made_sources import captions, imported, pictures, png, write

Files = dict[str, bytes | str]


def pack(path: Path, files: Files, compressed: bool = True) -> Path:
    """An archive of the kind that its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    contents = {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as packed:
            for name, content in contents.items():
                packed.writestr(name, content)
        return path
    kind = {".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, kind) as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


NAMES = ("set.zip", "set.tar", "set.tar.gz", "set.tgz", "set.tar.bz2", "set.tar.xz")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_packed(tmp_path: Path, name: str) -> None:
    files: Files = {**pictures("in/b.png", "in/a.png", "in/noted"), "in/metadata.csv": "file_name,text\na.png,a cat\n"}
    files |= {"in/b.txt": "a dog", "__MACOSX/in/._a.png": b"x", "in/.DS_Store": b"x"}
    path = pack(tmp_path / name, files)
    assert archives.is_archive(path)
    done = imported(path, tmp_path / "out")
    assert (sum(done.rows.values()), done.skipped) == (3, 0)
    assert sorted(map(str, captions(path))) == ["None", "a cat", "a dog"]
    bare = path.rename(tmp_path / "no_suffix")
    assert len(captions(bare)) == 3
    assert sorted(child.name for child in tmp_path.iterdir()) == ["no_suffix", "out"]


@pytest.mark.parametrize("name", ["train-{}.tar", "train-{}.tar.gz"])
def test_samples_of_webdataset(tmp_path: Path, name: str) -> None:
    for shard in range(2):
        files: Files = {}
        for number in range(3):
            key = f"{shard}{number:04}"
            files |= {f"{key}.jpg": png(10 * shard + number), f"{key}.txt": f"cat {key}"}
            files |= {f"{key}.json": f'{{"caption": "cat {key}", "url": "x"}}'}
        pack(tmp_path / "in" / name.format(shard), files)
    assert captions(tmp_path / "in") == [f"cat {shard}{number:04}" for shard in range(2) for number in range(3)]


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_only_so_much_is_read_as_is_asked_for(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, pictures(*(f"{kind}/{n}.png" for kind in ("cat", "dog") for n in range(30))))
    some = captions(path, count=20)
    assert len(some) == 20
    assert set(some) == ({"cat", "dog"} if name == "a.zip" else {"cat"})  # a tar is read in its order
    assert archives.is_sequential(path) == (name == "a.tar")


def test_numbers_of_classes(tmp_path: Path) -> None:
    files: Files = {}
    for number, kind in enumerate(("1", "0", "7", "sea_dog")):
        files |= {f"{number}.png": png(number), f"{number}.cls": kind}
    pack(tmp_path / "in/a.tar", files)
    assert captions(tmp_path / "in") == ["class 1", "class 0", "class 7", "sea dog"]
    (tmp_path / "in/classes.txt").write_text("cat\nred_ant\n")
    assert captions(tmp_path / "in") == ["red ant", "cat", "class 7", "sea dog"]


def test_captions_beside_an_archive(tmp_path: Path) -> None:
    pack(tmp_path / "in/images.zip", pictures("images/a.png", "images/b.png"))
    write(tmp_path / "in", {"metadata.jsonl": '{"file_name": "images/b.png", "text": "a dog"}\n', "c.png": png(9)})
    assert captions(tmp_path / "in") == [None, None, "a dog"]
    done = imported(tmp_path / "in", tmp_path / "out")
    assert not [line for line in done.remarks if "no picture" in line]


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_paths_that_lead_out_lead_nowhere(tmp_path: Path, name: str) -> None:
    files: Files = pictures("../../evil.png", "/etc/root.png", "..\\b.png", "a.png")
    path = pack(tmp_path / "deep/er" / name, files)
    done = imported(path, tmp_path / "out")
    assert (sum(done.rows.values()), done.skipped) == (2, 2)
    assert all("leads out" in note for note in done.notes)
    assert not list(tmp_path.rglob("evil.png"))


def test_links_in_a_tar_are_not_followed(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", pictures("a.png", "b.png"))
    with tarfile.open(path, "a") as tar:
        member = tarfile.TarInfo("link.png")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    assert len(captions(path)) == 2


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_member_that_is_too_large_is_not_read(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_tree, "FILE_BYTES", 100_000)
    path = pack(tmp_path / name, {**pictures("a.png", "b.png"), "big.png": png(1) + bytes(200_000)})
    done = imported(path, tmp_path / "out")
    assert done.skipped == 1
    assert "100,000" in done.notes[0]


def test_a_tar_that_grows_without_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "a.tar.gz", {"a.png": png(1), "zeros": bytes(3_000_000)})
    assert len(captions(path)) == 1
    monkeypatch.setattr(archives, "_LEAST", 1_000_000)
    with pytest.raises(SourceError, match=r"data\.source.*a\.tar\.gz.*unpack it"):
        captions(path)


def test_a_zip_whose_members_share_their_bytes_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", pictures("a.png", "b.png"), compressed=False)
    content = bytearray(path.read_bytes())
    listed = content.rindex(b"PK\x01\x02")
    content[listed + 20 : listed + 24] = (100_000).to_bytes(4, "little")  # the size it claims to take
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.zip.*more bytes than it has"):
        captions(path)


def test_text_that_a_compressed_tar_keeps_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "a.tar.gz", {"a.txt": "a cat", **pictures("a.png", "b.png"), "b.txt": "a dog"})
    monkeypatch.setattr(archives, "TEXT_KEPT", 6)
    assert captions(path) == ["a cat", "a dog"]  # the other is read again from the start


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_a_tar_that_is_cut_is_named(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / "in" / name, {f"{n}.png": png(n, 40) for n in range(8)})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError, match=rf"data\.source.*{name}.*no readable archive"):
        captions(tmp_path / "in")


def test_a_file_that_is_called_an_archive_is_skipped(tmp_path: Path) -> None:
    write(tmp_path / "in", {"a.zip": b"PK\x03\x04" + bytes(60), "b.tar": "text", **pictures("x.png", "y.png")})
    done = imported(tmp_path / "in", tmp_path / "out")
    assert done.skipped == 2
    assert all("archive" in note for note in done.notes)


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", pictures("a.png", "b.png", "c.png"), compressed=False)
    content = bytearray(path.read_bytes())
    for start in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[start] |= 1
    path.write_bytes(content)
    done = imported(path, tmp_path / "out")
    assert done.skipped == 1
    assert "encrypted" in done.notes[0]
