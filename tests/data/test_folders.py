"""What is said of pictures, wherever in a folder it stands."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from swiggle.data.sources import REPORT, SourceError
from tests.data.made_sources import captions, imported, pictures, png, write


def lines(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("column", ["file_name", "image", "path", "filename"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "json"])
def test_tables_of_captions(tmp_path: Path, kind: str, column: str) -> None:
    folder = write(tmp_path / "in", pictures("a.png", "b.png", "c.png"))
    rows = [{column: "a.png", "text": "a cat"}, {column: "c.png", "text": "a dog, asleep"}]
    path = folder / f"metadata.{kind}"
    if kind == "jsonl":
        path.write_text(lines(*rows))
    elif kind == "json":
        path.write_text(json.dumps(rows))
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text(f'\ufeff{column},text\na.png,a cat\nc.png,"a dog, asleep"\n')
    done = imported(folder, tmp_path / "out")
    assert captions(folder) == ["a cat", None, "a dog, asleep"]
    assert (done.skipped, done.remarks[1:]) == (0, [])  # of so few pictures it is remarked that they are few
    assert done.understood == f"3 pictures of 20 x 20, one caption for each of 2 of them, from metadata.{kind}"


def test_the_nearest_table_above_a_picture_wins(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", pictures("a.png", "deep/er/b.png", "deep/er/c.png", "deep/d.png"))
    names = ("a.png", "deep/er/b.png", "deep/er/c.png")
    (folder / "metadata.jsonl").write_text(lines(*({"file_name": name, "text": "outer"} for name in names)))
    (folder / "deep/metadata.csv").write_text("file_name;text\ner/b.png;inner\n./d.png;inner\n")
    assert captions(folder) == ["outer", "inner", "inner", "outer"]  # a, deep/d, deep/er/b, deep/er/c


def test_all_rows_of_a_picture_and_all_columns_alike_count(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", pictures("a.png", "b.png"))
    (folder / "captions.txt").write_text("image,caption\na.png,A cat .\na.png,One cat\nb.png,A dog\n")
    assert captions(folder) == ["A cat . One cat", "A dog"]
    (folder / "captions.txt").unlink()
    row = {"file_name": "a.png", "caption_0": "a cat", "caption_1": "one cat", "license": "mine"}
    (folder / "metadata.jsonl").write_text(lines(row))
    assert captions(folder) == ["a cat. one cat", None]
    (folder / "metadata.jsonl").write_text(lines({"file_name": "a.png", "text": ["a cat sits", "one cat"]}))
    assert captions(folder) == ["a cat sits. one cat", None]


def test_captions_of_coco_and_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", pictures("val/0001.png", "val/0002.png"))
    coco = {
        "images": [{"id": 1, "file_name": "0001.png"}, {"id": 2, "file_name": "0002.png"}],
        "annotations": [{"image_id": 1, "caption": c} for c in ("a cat", "one cat")],
    }
    (folder / "captions_val.json").write_text(json.dumps(coco))
    assert captions(folder) == ["a cat. one cat", None]
    (folder / "captions_val.json").write_text(json.dumps({"val/0002": {"tags": "1girl, red_hair"}}))
    assert captions(folder) == [None, "1girl, red hair"]
    (folder / "package.json").write_text(json.dumps({"name": "pictures", "version": "1"}))
    assert not [line for line in imported(folder, tmp_path / "out").remarks if "no picture" in line]


def test_tables_name_pictures_as_they_are_used_to(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", pictures("images/a.png", "images/B.PNG", "images/cafe\u0301.png"))
    named = ("images\\a.png", "b.png", "caf\u00e9")
    (folder / "labels.tsv").write_text("id\tlabel\n" + "".join(f"{name}\tno {name[:1]}\n" for name in named))
    assert sorted(map(str, captions(folder))) == ["no b", "no c", "no i"]


def test_columns_can_be_chosen(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", pictures("a.png", "b.png"))
    (folder / "metadata.csv").write_text("where,text,tags\na.png,a cat,x y\n")
    assert captions(folder, image_column="where", caption_column="tags") == ["x y", None]
    with pytest.raises(SourceError, match=r"data\.caption_column.*metadata\.csv.*words"):
        captions(folder, image_column="where", caption_column="words")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("metadata.jsonl", '{"file_name": "a.png", "text": "a"}\n{oops\n', "line 2"),
        ("metadata.jsonl", "[1]\n", "object"),
        ("metadata.csv", "", "file_name"),
        ("metadata.csv", "text\na cat\n", "file_name"),
        ("metadata.parquet", "no Parquet", "corrupted"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: str, words: str) -> None:
    folder = write(tmp_path / "in", {**pictures("a.png"), name: content})
    with pytest.raises(SourceError, match=rf"data\.source.*{name}.*{words}") as error:
        captions(folder)
    assert "\n" not in str(error.value)
    (folder / name).rename(folder / f"other{Path(name).suffix}")  # that is no table of captions
    if not name.endswith(".parquet"):
        assert captions(folder) == [None]


def test_rows_that_name_no_picture_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", pictures("a.png", "b.png"))
    (folder / "metadata.jsonl").write_text(lines(*({"file_name": f"{n}.png", "text": n} for n in ("a", "x", "y"))))
    done = imported(folder, tmp_path / "out")
    assert [line for line in done.remarks if "2 rows of metadata.jsonl" in line and "x.png" in line]


@pytest.mark.parametrize(
    ("name", "content", "caption"),
    [
        ("a.txt", "a cat", "a cat"),
        ("a.caption", "a cat", "a cat"),
        ("a.png.txt", "a cat", "a cat"),
        ("a.TXT", "a cat", "a cat"),
        ("a.en.txt", "a cat", "a cat"),
        ("a.json", '{"prompt": "a cat", "seed": 3}', "a cat"),
        ("a.txt", "a cat\nAn animal.\n", "a cat. An animal."),
        ("a.txt", "1girl, red_hair", "1girl, red hair"),
        ("a.txt", "", None),
        ("a.txt", "0 0.5 0.5 0.1 0.1", None),
        ("captions/a.txt", "a cat", "a cat"),
        ("b.txt", "a dog", None),
    ],
)
def test_captions_beside_pictures(tmp_path: Path, name: str, content: str, caption: str | None) -> None:
    folder = write(tmp_path / "in", {**pictures("a.png"), name: content})
    assert captions(folder) == [caption]


def test_captions_beside_pictures_are_no_skipped_pictures(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", pictures("a.png", "b.png", "c.png"))
    write(folder, {"a.txt": "a cat", "a.caption": "one cat", "b.caption": "a dog", "notes.txt": "milk"})
    done = imported(folder, tmp_path / "out")
    with (tmp_path / "out" / REPORT).open() as file:
        assert [Path(row["picture"]).name for row in csv.DictReader(file)] == ["notes.txt"]
    assert captions(folder) == ["one cat. a cat", "a dog", None]
    assert "1 to 2 captions for each of 2 of them" in done.understood


def test_folders_are_classes_where_nothing_else_is_said(tmp_path: Path) -> None:
    names = [f"{split}/{name}/{n}.png" for split in ("train", "test") for name in ("cat", "sea_dog") for n in range(3)]
    folder = write(tmp_path / "in", {**pictures(*names), "train/cat/0.txt": "a tabby"})
    said = captions(folder)
    assert said[:3] == ["cat", "cat", "cat"]
    assert said[6] == "a tabby"
    assert said[-1] == "sea dog"


def test_only_so_much_is_read_as_is_asked_for(tmp_path: Path) -> None:
    names = [f"{name}/{n}.png" for name in ("cat", "dog") for n in range(30)]
    folder = write(tmp_path / "in", pictures(*names))
    some = captions(folder, count=20)
    assert len(some) == 20
    assert set(some) == {"cat", "dog"}  # not the first class alone
    write(folder, {"ant/0.png": png(90), "ant/1.png": png(91)})
    assert sum(one != "ant" for one in captions(folder, count=62)) == 60


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "AVIF", "PNG", "JPEG", "WEBP"])
def test_formats_are_told_by_their_content(tmp_path: Path, kind: str) -> None:
    stream = io.BytesIO()
    first, second = (Image.new("RGB", (20, 20), colour) for colour in ("olive", "navy"))
    moving = {"save_all": True, "append_images": [second]} if kind in ("GIF", "TIFF") else {}
    first.save(stream, kind, **moving)
    folder = write(tmp_path / "in", {"picture": stream.getvalue(), "wrong.png": stream.getvalue(), "b.png": png(1)})
    done = imported(folder, tmp_path / "out")
    assert (sum(done.rows.values()), done.skipped) == (3, 0)
    assert any("first of 2 frames" in note for note in done.notes) == bool(moving)


def test_what_systems_put_beside_pictures_is_left_out(tmp_path: Path) -> None:
    hidden = (".a.png", ".cache/a.png", "__MACOSX/a.png", "@eaDir/a.png", "Thumbs.db")
    folder = write(tmp_path / "in", pictures("a.png", *hidden))
    assert len(captions(folder)) == 1


def test_transparent_pictures_stand_on_the_ground(tmp_path: Path) -> None:
    from swiggle.data.pixels import decode_import

    stream = io.BytesIO()
    icon = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    icon.paste((255, 0, 0, 255), (4, 4, 12, 12))
    icon.save(stream, "PNG")
    for ground, corners in (("white", {255}), ("#000000", {0}), ("checkered", {204, 255})):
        made = decode_import(stream.getvalue(), 16, ground)
        assert set(made[:2, :, 1].ravel().tolist()) | set(made[:2, :, 0].ravel().tolist()) == corners
        assert made[8, 8].tolist() == [255, 0, 0]
    folder = write(tmp_path / "in", {"a.png": stream.getvalue(), "b.png": png(1)})
    assert sum(imported(folder, tmp_path / "out", ground="checkered").rows.values()) == 2


def test_icons_that_are_not_square_are_not_cut() -> None:
    from swiggle.data.pixels import MAX_SIDE, decode_import, oddities

    def encoded(picture: Image.Image, **options: object) -> bytes:
        stream = io.BytesIO()
        picture.save(stream, "PNG", **options)
        return stream.getvalue()

    icon = Image.new("RGBA", (8, 16), (255, 0, 0, 255))
    icon.putpixel((0, 0), (0, 0, 0, 0))
    made = decode_import(encoded(icon), 16, "#0000ff")
    assert made[8, :, 0].tolist() == [0] * 4 + [255] * 8 + [0] * 4
    assert made[0, 4].tolist() == [0, 0, 255]
    assert oddities(encoded(icon)) == ((8, 16), "mode RGBA, made square of 8x16")
    icon.putpixel((0, 0), (255, 0, 0, 255))  # transparency that is not used: a photograph as a screen stores it
    assert decode_import(encoded(icon), 16).shape == (8, 8, 3)
    strip = Image.new("RGBA", (MAX_SIDE + 1, 2), (255, 0, 0, 0))
    assert decode_import(encoded(strip), 16).shape == (2, 2, 3)  # a square of its length would take a gigabyte
    few = Image.new("P", (8, 16), 1)
    few.putpalette([0, 255, 0, 255, 0, 0])
    few.putpixel((0, 0), 0)
    assert decode_import(encoded(few, transparency=0), 16, "black")[:, 0].tolist() == [[0, 0, 0]] * 16
    assert decode_import(encoded(few), 16).shape == (8, 8, 3)


def test_large_transparent_pictures_stand_on_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from swiggle.data import pixels

    stream = io.BytesIO()
    Image.new("RGBA", (400, 300), (0, 0, 0, 0)).save(stream, "PNG")
    monkeypatch.setattr(pixels, "MAX_SIDE", 64)
    made = pixels.decode_import(stream.getvalue(), 16, "checkered")
    assert made.shape == (16, 16, 3)
    assert sorted(set(made.ravel().tolist())) == [204, 255]
