"""Clones of hub sets, and what `datasets` saves."""

from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from swiggle.data.sources import SourceError
from tests.data.made_sources import captions, imported, pictures, png, write

TEXT = datasets.Value("string")
CARD = """---
configs:
- config_name: big
  data_files:
  - split: train
    path: big/train-*
  - split: test
    path: big/test-*
- config_name: small
  data_files: small/*.parquet
---
# Pictures
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


def rows(said: list, kind: object = TEXT, column: str = "text") -> datasets.Dataset:
    images = [{"bytes": png(sum(map(ord, str(one))) + place), "path": None} for place, one in enumerate(said)]
    kinds = datasets.Features({"image": datasets.Image(), column: kind})
    return datasets.Dataset.from_dict({"image": images, column: said}, kinds)


def clone(folder: Path, card: str, **said: str) -> Path:
    """A file for each name, of three pictures."""
    for name, text in said.items():
        path = folder / f"{name.replace('__', '/').replace('_', '-')}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows([f"{text} {number}" for number in range(3)]).to_parquet(str(path))
    return write(folder, {"README.md": card})


def test_configurations_and_splits_of_a_clone(tmp_path: Path) -> None:
    folder = clone(tmp_path / "in", CARD, big__train_00000="big", big__test_00000="held", small__train_00000="small")
    with pytest.raises(SourceError, match=r"data\.subset.*big, small"):
        captions(folder)
    with pytest.raises(SourceError, match=r"data\.subset.*big, small"):
        captions(folder, subset="huge")
    with pytest.raises(SourceError, match=r"data\.split.*train, test.*'dev'"):
        captions(folder, subset="big", split="dev")
    assert captions(folder, subset="small") == ["small 0", "small 1", "small 2"]
    assert captions(folder, subset="big", split="test") == ["held 0", "held 1", "held 2"]
    assert len(captions(folder, subset="big")) == 6
    done = imported(folder, tmp_path / "out", subset="big")
    assert [line for line in done.remarks if "train, test are read as one set" in line]


def test_a_clone_without_a_card_is_split_by_names(tmp_path: Path) -> None:
    folder = clone(tmp_path / "in", "# a clone", data__train_00000_of_00001="a", data__test_00000_of_00001="b")
    assert len(captions(folder)) == 6
    assert captions(folder, split="test") == ["b 0", "b 1", "b 2"]


def test_a_clone_whose_large_files_were_not_fetched(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    folder = write(tmp_path / "in", {"README.md": "# a clone", "data/train.parquet": pointer})
    with pytest.raises(SourceError, match=r"train\.parquet.*git lfs pull"):
        captions(folder)


def test_pictures_beside_a_table_that_holds_none(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", pictures("a.png", "b.png"))
    pq.write_table(pa.table({"file_name": ["a.png"], "text": ["a cat"]}), folder / "metadata.parquet")
    assert captions(folder) == ["a cat", None]


@pytest.mark.parametrize("several", [False, True])
def test_what_datasets_saved(tmp_path: Path, several: bool) -> None:
    kind = datasets.ClassLabel(names=["cat", "sea_dog"])
    one = rows([0, 1, 1], kind, "label")
    saved = datasets.DatasetDict({"train": one, "test": rows([0], kind, "label")}) if several else one
    saved.save_to_disk(str(tmp_path / "in"))
    assert captions(tmp_path / "in")[:3] == ["cat", "sea dog", "sea dog"]
    assert len(captions(tmp_path / "in")) == (4 if several else 3)
    if several:
        assert captions(tmp_path / "in", split="test") == ["cat"]
        with pytest.raises(SourceError, match=r"data\.split.*train, test"):
            captions(tmp_path / "in", split="dev")


def test_a_saved_set_that_is_damaged(tmp_path: Path) -> None:
    rows(["a", "b"]).save_to_disk(str(tmp_path / "in"))
    (tmp_path / "in/data-00000-of-00001.arrow").write_bytes(b"")
    with pytest.raises(SourceError, match=r"data\.source") as error:
        captions(tmp_path / "in")
    assert "\n" not in str(error.value)


def test_captions_in_tables_of_any_usual_shape(tmp_path: Path) -> None:
    path = tmp_path / "set.parquet"
    raw = [[{"raw": "a dog sits", "imgid": 1}, {"raw": "one dog", "imgid": 2}]]
    rows(raw, datasets.List({"raw": TEXT, "imgid": datasets.Value("int64")}), "sentences").to_parquet(str(path))
    assert captions(path) == ["a dog sits. one dog"]
    rows([[0, 1], []], datasets.List(datasets.ClassLabel(names=["red_hat", "dog"])), "tags").to_parquet(str(path))
    assert captions(path) == ["red hat, dog", None]
    rows([["red", "top_hat", "smile"]], datasets.List(TEXT), "tags").to_parquet(str(path))
    assert captions(path) == ["red, top hat, smile"]
    several = {f"caption_{number}": [f"no {number}"] for number in range(2)}
    pq.write_table(pa.table({"picture": [png(1)], **several, "url": ["http://x"]}), path)
    assert captions(path) == ["no 0. no 1"]  # the only column that holds pictures is taken, whatever its name
