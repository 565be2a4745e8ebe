import csv
from pathlib import Path

import datasets
import numpy as np
import pyarrow.dataset
import pytest

from swiggle.composition import composition_of
from swiggle.config import DataConfig
from swiggle.data import sources
from swiggle.data.pixels import encode_png
from swiggle.data.reading import enlarge, read_pictures, read_traits
from swiggle.data.sources import REPORT, SourceError, read_source, write_splits
from swiggle.data.splits import SPLITS, split_of
from tests.data.odd_pictures import BROKEN, ODD, odd_folder

NOUNS = composition_of("nouns")


@pytest.fixture(autouse=True)
def _no_bars() -> None:
    datasets.disable_progress_bars()


def folder_of_pictures(folder: Path, count: int, side: int = 40) -> Path:
    folder.mkdir()
    for i in range(count):
        (folder / f"{i:03}.png").write_bytes(encode_png(np.full((side, side, 3), i, np.uint8)))
    return folder


def test_nouns_round_trip(tmp_path: Path) -> None:
    done = write_splits(DataConfig(count=300), 32, tmp_path)
    assert sum(done.rows.values()) == 300
    assert (done.skipped, done.converted, done.notes) == (0, 0, [])
    for split in SPLITS:
        pictures = read_pictures(tmp_path / split, 32)
        assert len(pictures) == done.rows[split] == len(pictures.captions)
        assert all(split_of(int(i)) == split for i in pictures.ids)
        assert pictures.images.shape[1:] == (32, 32, 3)
        traits = read_traits(tmp_path / split, NOUNS.slots)
        assert all(traits["head"][i] in (pictures.captions[i] or "") for i in range(len(pictures)))
    # Who reads the whole folder, as `datasets` and Arrow do, reads pictures alone.
    whole = pyarrow.dataset.dataset(tmp_path, format="parquet", exclude_invalid_files=True)
    assert (whole.schema.names, whole.count_rows()) == (["id", "image", "caption"], 300)
    assert enlarge(pictures.images, 128).shape[1:] == (128, 128, 3)


def test_many_parts_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rows in (("one", 10_000), ("many", 32)):
        monkeypatch.setattr(sources, "PART_ROWS", rows)
        (tmp_path / name).mkdir()
        write_splits(DataConfig(count=300), 32, tmp_path / name)
    assert len(list((tmp_path / "many/train").iterdir())) > 5
    one, many = (read_pictures(tmp_path / name / "train", 32) for name in ("one", "many"))
    np.testing.assert_array_equal(one.ids, many.ids)
    np.testing.assert_array_equal(one.images, many.images)


def test_image_folder_names_what_is_odd(tmp_path: Path) -> None:
    folder = odd_folder(tmp_path / "in", good=180)
    (tmp_path / "out").mkdir()
    done = write_splits(DataConfig(source=str(folder), count=None), 32, tmp_path / "out")
    assert sum(done.rows.values()) == 190
    assert (done.skipped, done.converted) == (10, 10)
    with (tmp_path / "out" / REPORT).open() as file:
        report = {Path(row["picture"]).name: row for row in csv.DictReader(file)}
    assert report.keys() == ODD.keys() | BROKEN.keys()
    assert all(report[name]["what"] == "skipped" for name in BROKEN)
    assert report["wide.png"]["why"] == "middle of 50x20"
    assert report["grey-16-bit.png"]["why"] == "mode I;16"
    assert "2 frames" in report["moving.webp"]["why"]
    pictures = read_pictures(tmp_path / "out/train", 32)
    assert pictures.images.shape[1:] == (32, 32, 3)
    assert set(pictures.captions) == {None}
    with pytest.raises(ValueError, match="trait"):
        read_traits(tmp_path / "out/train", NOUNS.slots)


def test_parquet_in_the_hubs_shape(tmp_path: Path) -> None:
    rows = [
        {"image": {"bytes": encode_png(np.full((8, 8, 3), i, np.uint8)), "path": None}, "text": f"no {i}"}
        for i in range(50)
    ]
    features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(tmp_path / "set.parquet"))
    source = DataConfig(source=str(tmp_path / "set.parquet"), count=40)
    found = list(read_source(source, 32))
    assert len(found) == 40
    assert found[7]["caption"] == "no 7"
    with pytest.raises(SourceError, match="caption_column"):
        list(read_source(DataConfig(source=source.source, caption_column="words"), 32))
    with pytest.raises(SourceError, match="image_column"):
        list(read_source(DataConfig(source=source.source, image_column="picture"), 32))


def test_a_source_that_is_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no-such-thing"):
        list(read_source(DataConfig(source="no-such-thing"), 32))
    with pytest.raises(SourceError, match="too few"):
        write_splits(DataConfig(source=str(folder_of_pictures(tmp_path / "in", 1))), 32, tmp_path)
