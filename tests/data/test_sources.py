from pathlib import Path

import datasets
import numpy as np
import pytest

from swiggle.config import DataConfig
from swiggle.data.pixels import encode_png
from swiggle.data.reading import enlarge, read_pictures, read_traits
from swiggle.data.sources import SourceError, read_source, write_splits
from swiggle.data.splits import SPLITS, split_of


@pytest.fixture(autouse=True)
def _no_bars() -> None:
    datasets.disable_progress_bars()


def folder_of_pictures(folder: Path, count: int, side: int = 40) -> Path:
    folder.mkdir()
    for i in range(count):
        (folder / f"{i:03}.png").write_bytes(encode_png(np.full((side, side, 3), i, np.uint8)))
    return folder


def test_nouns_round_trip(tmp_path: Path) -> None:
    counts, skipped = write_splits(DataConfig(count=300), 32, tmp_path)
    assert sum(counts.values()) == 300
    assert skipped == []
    for split in SPLITS:
        pictures = read_pictures(tmp_path / split, 32)
        assert len(pictures) == counts[split] == len(pictures.captions)
        assert all(split_of(int(i)) == split for i in pictures.ids)
        assert pictures.images.shape[1:] == (32, 32, 3)
        traits = read_traits(tmp_path / split)
        assert all(traits["head"][i] in (pictures.captions[i] or "") for i in range(len(pictures)))
    assert enlarge(pictures.images, 128).shape[1:] == (128, 128, 3)


def test_image_folder_names_what_it_skips(tmp_path: Path) -> None:
    folder = folder_of_pictures(tmp_path / "in", 60)
    (folder / "broken.png").write_bytes(b"\x89PNG not really")
    (folder / "notes.txt").write_text("not a picture")
    (tmp_path / "out").mkdir()
    counts, skipped = write_splits(DataConfig(source=str(folder), count=None), 32, tmp_path / "out")
    assert sum(counts.values()) == 60
    assert len(skipped) == 1
    assert "broken.png" in skipped[0]
    pictures = read_pictures(tmp_path / "out/train", 32)
    assert pictures.images.shape[1:] == (32, 32, 3)
    assert set(pictures.captions) == {None}
    with pytest.raises(ValueError, match="trait"):
        read_traits(tmp_path / "out/train")


def test_parquet_in_the_hubs_shape(tmp_path: Path) -> None:
    rows = [
        {"image": {"bytes": encode_png(np.full((8, 8, 3), i, np.uint8)), "path": None}, "text": f"no {i}"}
        for i in range(50)
    ]
    features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(tmp_path / "set.parquet"))
    source = DataConfig(source=str(tmp_path / "set.parquet"), count=40)
    found = list(read_source(source, 32, []))
    assert len(found) == 40
    assert found[7]["caption"] == "no 7"
    with pytest.raises(SourceError, match="caption_column"):
        list(read_source(DataConfig(source=source.source, caption_column="words"), 32, []))
    with pytest.raises(SourceError, match="image_column"):
        list(read_source(DataConfig(source=source.source, image_column="picture"), 32, []))


def test_a_source_that_is_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no-such-thing"):
        list(read_source(DataConfig(source="no-such-thing"), 32, []))
    with pytest.raises(SourceError, match="too few"):
        write_splits(DataConfig(source=str(folder_of_pictures(tmp_path / "in", 1))), 32, tmp_path)
