"""Folders and tables as people have them: what is read, what is said, and where each picture goes."""

import csv
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from swiggle.config import DataConfig
from swiggle.data.pixels import encode_png
from swiggle.data.reading import enlarge, read_pictures
from swiggle.data.sources import REPORT, Import, SourceError, read_source, write_splits
from swiggle.data.splits import SPLITS, split_of

TEXT = datasets.Value("string")


def picture(look: int, side: int = 20) -> np.ndarray:
    return np.random.default_rng(look).integers(0, 256, (side, side, 3), dtype=np.uint8)


def folder_of(folder: Path, looks: list[int] | range, first: int = 0) -> Path:
    folder.mkdir(parents=True)
    for place, look in enumerate(looks, start=first):
        (folder / f"{place:03}.png").write_bytes(encode_png(picture(look)))
    return folder


def table_of(path: Path, looks: list[int] | range, features: dict | None = None, **columns: list) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {"image": [{"bytes": encode_png(picture(look)), "path": None} for look in looks], **columns}
    kinds = datasets.Features({"image": datasets.Image(), **(features or {})})
    datasets.Dataset.from_dict(rows, kinds).to_parquet(str(path))
    return path


Places = dict[bytes, set[tuple[int, str]]]


def imported(source: Path, to: Path, size: int = 16, **settings: object) -> tuple[Import, Places]:
    """What became of a source, and of each look the ids and splits of the pictures that have it."""
    to.mkdir()
    done = write_splits(DataConfig(source=str(source), **{"count": None, **settings}), size, to)
    found: Places = {}
    for split in SPLITS:
        pictures = read_pictures(to / split, size)
        assert len(pictures) == done.rows[split]
        for number, image in zip(pictures.ids.tolist(), pictures.images, strict=True):
            found.setdefault(enlarge(image[None], size).tobytes(), set()).add((number, split))
    return done, found


def rows_of(source: Path | str, **settings: object) -> list[dict]:
    return list(read_source(DataConfig(source=str(source), **{"count": None, **settings}), 16))


def kept(before: Places, after: Places) -> bool:
    return all(places <= after[look] for look, places in before.items())


# Splits


def test_a_picture_that_is_added_or_renamed_moves_none(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", range(80))
    _, before = imported(folder, tmp_path / "before")
    (folder / "aardvark.png").write_bytes(encode_png(picture(500)))
    (folder / "040.png").rename(folder / "zebra.png")
    (folder / "deeper").mkdir()
    (folder / "041.png").rename(folder / "deeper/000.png")
    _, after = imported(folder, tmp_path / "after")
    assert len(after) == 81
    assert kept(before, after)


def test_the_order_of_a_table_moves_none(tmp_path: Path) -> None:
    looks = list(range(80))
    _, before = imported(table_of(tmp_path / "one.parquet", looks), tmp_path / "before")
    mixed = np.random.default_rng(0).permutation(looks).tolist()
    table_of(tmp_path / "two/b.parquet", mixed[:30])
    table_of(tmp_path / "two/a.parquet", [*mixed[30:], 900])
    _, after = imported(tmp_path / "two", tmp_path / "after")
    assert kept(before, after)


def test_identical_pictures_are_on_one_side_whatever_file_they_are_in(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for look in range(60):
        same = Image.fromarray(picture(look) // 200 * 100)  # pixel art of 8 colours
        folder.mkdir(exist_ok=True)
        same.save(folder / f"{look:03}.png")
        (folder / f"copies{look % 3}").mkdir(exist_ok=True)
        shutil.copy(folder / f"{look:03}.png", folder / f"copies{look % 3}/{look}.png")
        same.save(folder / f"{look}-packed.png", compress_level=9)
        same.save(folder / f"{look}-lossless.webp", lossless=True)
        same.save(folder / f"{look}.bmp")
        same.resize((40, 40), Image.Resampling.NEAREST).save(folder / f"{look}-wide.png")
    done, found = imported(folder, tmp_path / "out", size=40)
    assert sum(done.rows.values()) == 360
    assert done.skipped == 0
    assert len(found) == 60
    for places in found.values():
        assert len({split for _, split in places}) == 1
        assert len({number for number, _ in places}) == 6


def test_a_damaged_picture_moves_none(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", range(80))
    _, before = imported(folder, tmp_path / "before")
    (folder / "010.png").write_bytes(b"")
    (folder / "000.txt").write_text("hello")
    _, after = imported(folder, tmp_path / "after")
    assert len(after) == 79
    assert all(places <= before[look] for look, places in after.items())


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_few_pictures_are_held_out_and_it_is_said(tmp_path: Path, count: int) -> None:
    done, _ = imported(folder_of(tmp_path / "in", range(count)), tmp_path / "out")
    assert done.rows["train"] >= count // 2
    assert done.rows["validation"] > 0
    if count > 2:
        assert done.rows["test"] > 0
    if set(SPLITS) != {split_of(row["id"]) for row in rows_of(tmp_path / "in")}:
        assert [line for line in done.remarks if "promises no fixed splits" in line]


def test_identical_pictures_hold_nothing_out_and_it_is_said(tmp_path: Path) -> None:
    done, found = imported(folder_of(tmp_path / "in", [7] * 60), tmp_path / "out")
    assert done.rows == {"train": 60, "validation": 0, "test": 0}
    assert len(next(iter(found.values()))) == 60
    (line,) = [line for line in done.remarks if "promises no fixed splits" in line]
    assert "left out" in line
    assert len(read_pictures(tmp_path / "out/test", 16).images) == 0


def test_one_picture_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="too few"):
        imported(folder_of(tmp_path / "in", [1]), tmp_path / "out")


# Counting


def test_count_is_of_usable_pictures_in_folders(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", range(60))
    for i in range(60):
        (folder / f"{i:03}.a.txt").write_text("a cat")
    assert len(rows_of(folder, count=40)) == 40
    assert len(rows_of(folder, count=100)) == 60


def test_count_is_of_usable_pictures_in_tables(tmp_path: Path) -> None:
    images = [{"bytes": encode_png(picture(i)) if i % 2 else None, "path": None} for i in range(40)]
    pq.write_table(pa.table({"image": [*images, None]}), tmp_path / "set.parquet")
    assert len(rows_of(tmp_path / "set.parquet", count=15)) == 15


def test_count_reads_only_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = pa.array([{"bytes": encode_png(picture(i)), "path": None} for i in range(200)])
    path = tmp_path / "set.parquet"
    pq.write_table(pa.table({"image": images}), path, row_group_size=50)
    group = pq.ParquetFile(path).metadata.row_group(2).column(0)
    damaged = bytearray(path.read_bytes())
    start = group.dictionary_page_offset or group.data_page_offset
    damaged[start : start + group.total_compressed_size] = bytes(group.total_compressed_size)
    path.write_bytes(damaged)
    assert len(rows_of(path, count=60)) == 60
    with pytest.raises(SourceError, match=r"set\.parquet"):
        rows_of(path)


@pytest.mark.parametrize("source", ["nouns", "folder"])
def test_a_count_of_nothing_is_refused(tmp_path: Path, source: str) -> None:
    named = source if source == "nouns" else folder_of(tmp_path / "in", range(3))
    for count in (0, -3):
        with pytest.raises(SourceError, match=r"data\.count"):
            rows_of(named, count=count)


# Folders


def test_pictures_are_told_by_their_content(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", range(3))
    Image.fromarray(picture(10)).save(folder / "chrome.jfif", "JPEG")
    Image.fromarray(picture(11)).save(folder / "no_suffix", "PNG")
    Image.fromarray(picture(12)).save(folder / "wrong.jpg", "PNG")
    assert len(rows_of(folder)) == 6


def test_other_files_are_called_what_they_are(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", range(30))
    (folder / "notes.txt").write_text("remember the milk")
    (folder / "text.png").write_text("remember the milk")
    (folder / "empty.png").write_bytes(b"")
    (folder / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(60))
    (folder / "clone.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    (folder / "more.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    (folder / "dump.bin").write_bytes(bytes(range(256)))
    (folder / "lost.png").symlink_to(folder / "nowhere.png")
    (folder / ".hidden.png").write_bytes(encode_png(picture(99)))
    (folder / ".thumbnails").mkdir()
    (folder / ".thumbnails/small.png").write_bytes(encode_png(picture(98)))
    done, _ = imported(folder, tmp_path / "out")
    with (tmp_path / "out" / REPORT).open() as file:
        why = {Path(row["picture"]).name: row["why"] for row in csv.DictReader(file)}
    assert sum(done.rows.values()) == 30
    words = {
        "notes.txt": "text",
        "text.png": "text",
        "empty.png": "empty",
        "drawing.svg": "SVG",
        "phone.heic": "HEIC",
        "clone.png": "git lfs pull",
        "more.zip": "zip",
        "dump.bin": "no picture",
        "lost.png": "link",
    }
    assert why.keys() == words.keys()
    assert all(word in why[name] for name, word in words.items())


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    elsewhere = folder_of(tmp_path / "elsewhere", range(100, 110))
    folder = folder_of(tmp_path / "in", range(10))
    (folder / "more").symlink_to(elsewhere)
    (folder / "more_again").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder)
    (folder / "linked.png").symlink_to(folder / "003.png")
    assert len(rows_of(folder)) == 21


@pytest.mark.parametrize("kind", ["folder", "table"])
def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder_of(tmp_path / "pics", range(3))
    table_of(tmp_path / "set.parquet", range(3))
    assert len(rows_of("~/pics" if kind == "folder" else "~/set.parquet")) == 3


def test_large_photographs_are_brought_down(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", range(2))
    Image.new("RGB", (6000, 4000), "olive").save(folder / "camera.jpg")
    Image.new("RGB", (4200, 4200), "olive").save(folder / "scan.png")
    rows = rows_of(folder)
    assert len(rows) == 4
    for row in rows[2:]:
        stored = np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])))
        assert stored.shape == (16, 16, 3)
        assert np.abs(stored.astype(int) - [128, 128, 0]).max() <= 3


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", range(60))
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(b"")
    (folder / os.fsdecode(b"\xff\xfe.png")).write_bytes(encode_png(picture(70)))
    done, _ = imported(folder, tmp_path / "out")
    assert sum(done.rows.values()) == 61
    assert (done.skipped, len(done.notes)) == (1, 1)
    assert "caf\\xe9.png" in done.notes[0].encode("utf-8").decode()
    assert b"caf\\xe9.png" in (tmp_path / "out" / REPORT).read_bytes()


def test_a_set_without_captions_is_said_to_be_one(tmp_path: Path) -> None:
    done, _ = imported(folder_of(tmp_path / "in", range(60)), tmp_path / "out")
    assert done.understood == "60 pictures of 20 x 20, no captions"
    assert "no labels" in done.works
    table_of(tmp_path / "set.parquet", range(60))
    done, _ = imported(tmp_path / "set.parquet", tmp_path / "out2")
    assert "data.caption_column" in done.works
    table_of(tmp_path / "some.parquet", range(60), {"text": TEXT}, text=["a cat", None, ""] * 20)
    done, _ = imported(tmp_path / "some.parquet", tmp_path / "out3")
    assert "40 of 60" in done.works
    assert done.understood == "60 pictures of 20 x 20, one caption for each of 20 of them, from column 'text'"
    table_of(tmp_path / "all.parquet", range(60), {"text": TEXT}, text=["a cat", "a dog"] * 30)
    done, _ = imported(tmp_path / "all.parquet", tmp_path / "out4")
    assert done.remarks == []
    assert done.works == "labels, edits by prompt, the map and the sliders work"


# Tables


def test_all_sentences_of_a_picture_count(tmp_path: Path) -> None:
    said = [["a cat.", "one cat"], [], None, ["a dog", None]]
    path = table_of(tmp_path / "set.parquet", range(4), {"caption": datasets.List(TEXT)}, caption=said)
    assert [row["caption"] for row in rows_of(path)] == ["a cat. one cat", None, None, "a dog"]


@pytest.mark.parametrize("column", ["label", None])
def test_class_names_are_captions(tmp_path: Path, column: str | None) -> None:
    classes = datasets.ClassLabel(names=["cat", "sea_dog"])
    path = table_of(tmp_path / "set.parquet", range(4), {"label": classes}, label=[0, 1, -1, None])
    assert [row["caption"] for row in rows_of(path, caption_column=column)] == ["cat", "sea dog", None, None]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("caption", pa.array([1, 2, 3])),
        ("said", pa.array([1, 2, 3])),
        ("said", pa.array([[1], [2], [3]])),
        ("text", pa.array([{"en": "a"}] * 3)),
        ("caption", pa.array([0.5, 1.0, 2.0])),
    ],
)
def test_captions_of_another_type_are_refused_before_pictures_are_read(
    tmp_path: Path, name: str, column: pa.Array
) -> None:
    table = pa.table({"image": [{"bytes": b"no picture", "path": None}] * 3, name: column, "words": ["a"] * 3})
    pq.write_table(table, tmp_path / "set.parquet")
    noted: list[str] = []
    config = DataConfig(source=str(tmp_path / "set.parquet"), caption_column=None if name != "said" else "said")
    with pytest.raises(SourceError, match=rf"data\.caption_column.*'{name}'.*words") as error:
        list(read_source(config, 16, lambda *of: noted.append(of[0])))
    assert noted == []
    assert "\n" not in str(error.value)


def test_captions_in_other_string_types_are_read(tmp_path: Path) -> None:
    images = [{"bytes": encode_png(picture(i)), "path": None} for i in range(3)]
    for column in (pa.array(["a", "b", None]).dictionary_encode(), pa.array(["a", "b", None], pa.large_string())):
        pq.write_table(pa.table({"image": images, "caption": column}), tmp_path / "set.parquet")
        assert [row["caption"] for row in rows_of(tmp_path / "set.parquet")] == ["a", "b", None]


@pytest.mark.parametrize(
    "column", [pa.array([1, 2]), pa.array([[b"a"], [b"b"]]), pa.array([{"x": 1}] * 2), pa.array([[[1]], [[2]]])]
)
def test_an_image_column_of_another_type_is_refused(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"image": column}), tmp_path / "set.parquet")
    with pytest.raises(SourceError, match=r"data\.image_column.*'image'.*bytes") as error:
        rows_of(tmp_path / "set.parquet")
    assert "\n" not in str(error.value)


def test_pictures_as_plain_bytes_and_as_paths(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "in", range(3))
    names = [str(folder / f"{i:03}.png") for i in range(3)]
    for column in (pa.array([Path(n).read_bytes() for n in names]), pa.array(names)):
        pq.write_table(pa.table({"image": column}), tmp_path / "set.parquet")
        assert len(rows_of(tmp_path / "set.parquet")) == 3


def test_a_clone_of_a_hub_set_is_read(tmp_path: Path) -> None:
    table_of(tmp_path / "set/data/train-00000-of-00002.parquet", range(30), {"text": TEXT}, text=["a cat"] * 30)
    table_of(tmp_path / "set/data/train-00001-of-00002.parquet", range(30, 60), {"text": TEXT}, text=["a dog"] * 30)
    (tmp_path / "set/README.md").write_text("# a clone")
    (tmp_path / "set/.git").mkdir()
    (tmp_path / "set/.git/x.parquet").write_bytes(b"")
    rows = rows_of(tmp_path / "set")
    assert [row["caption"] for row in rows] == ["a cat"] * 30 + ["a dog"] * 30


def test_a_damaged_or_differing_file_of_a_table_is_named(tmp_path: Path) -> None:
    table_of(tmp_path / "set/a.parquet", range(3))
    (tmp_path / "set/b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError, match=r"b\.parquet"):
        rows_of(tmp_path / "set")
    pq.write_table(pa.table({"picture": ["a"]}), tmp_path / "set/b.parquet")
    with pytest.raises(SourceError, match=r"data\.image_column.*b\.parquet.*picture"):
        rows_of(tmp_path / "set")


# Sources that are none


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("a.zip", lambda path: path.write_bytes(b"PK\x03\x04" + bytes(60)), "zip"),
        ("metadata.jsonl", lambda path: path.write_text('{"file_name": "a.png"}'), "name the folder"),
        ("a.png", lambda path: path.write_bytes(encode_png(picture(1))), "one picture"),
        ("a.csv", lambda path: path.write_text("a,b\n1,2\n"), "Parquet"),
        ("a.parquet", lambda path: path.write_text("a,b\n1,2\n"), "Parquet"),
        ("empty", lambda path: path.write_bytes(b""), "empty"),
    ],
)
def test_another_file_as_source(tmp_path: Path, name: str, make: Callable[[Path], None], words: str) -> None:
    make(tmp_path / name)
    with pytest.raises(SourceError, match=rf"data\.source.*{name}.*{words}") as error:
        rows_of(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_source_that_does_not_exist_says_what_would_work(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"data\.source.*hf://someone/pictures"):
        rows_of("someone/pictures")
    with pytest.raises(SourceError, match=r"data\.source.*s3://bucket/pictures.*local"):
        rows_of("s3://bucket/pictures")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"data\.source.*no pictures"):
        imported(tmp_path / "empty", tmp_path / "out")


def test_a_hub_set_without_network_is_a_sentence() -> None:
    with pytest.raises(SourceError, match=r"data\.source.*nobody/no-such-set.*HF_HUB_OFFLINE") as error:
        rows_of("hf://nobody/no-such-set")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' is a gated dataset on the Hub.\nAsk."), "gated"),
        (datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' doesn't exist on the Hub or cannot be accessed."),
         "doesn't exist"),
        (ConnectionError("Couldn't reach the Hub"), "reach"),
        (ValueError("Unknown split \"train\". Should be one of ['test']."), "test"),
        (ValueError("Config name is missing.\nPlease pick one among the available configs: ['x']"), "configs"),
    ],
)  # fmt: skip
def test_a_hub_set_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, raised: Exception, words: str) -> None:
    def load(*arguments: object, **options: object) -> None:
        raise raised

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(SourceError, match=f"data\\.source.*hf://a/b.*{words}") as error:
        rows_of("hf://a/b")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_hub_set_is_read_as_a_table_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streaming: bool) -> None:
    path = table_of(tmp_path / "set.parquet", range(10), {"text": TEXT}, text=["a cat"] * 10)
    load = datasets.load_dataset

    def hub(name: str, subset: str | None, split: str | None, **_: object) -> object:
        assert (name, subset, split) == ("a/b", None, "train")
        return load("parquet", data_files=str(path), split=split, cache_dir=str(tmp_path), streaming=streaming)

    monkeypatch.setattr(datasets, "load_dataset", hub)
    rows = rows_of("hf://a/b", count=7, split="train")
    assert [row["caption"] for row in rows] == ["a cat"] * 7
