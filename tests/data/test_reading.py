from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from swiggle.data.pixels import encode_png
from swiggle.data.reading import read_captions, read_pictures
from swiggle.data.sources import FEATURES
from swiggle.errors import SwiggleError
from swiggle.evaluation.truth import true_traits
from swiggle.nouns.sprites import SLOTS, load_sprites


def store(folder: Path, ids: list[int], traits: bool = True) -> Path:
    """Pictures whose traits are their id's, in the order of `ids`, in a file for each two of them."""
    folder.mkdir()
    sprites = load_sprites()
    rows = [
        {
            "id": number,
            "image": {"bytes": encode_png(np.full((8, 8, 3), number, np.uint8)), "path": None},
            "caption": f"no {number}",
            **{slot: sprites.names[slot][number % 2] if traits else None for slot in SLOTS},
        }
        for number in ids
    ]
    for start in range(0, max(1, len(rows)), 2):
        table = pa.Table.from_pylist(rows[start : start + 2], schema=FEATURES.arrow_schema)
        pq.write_table(table, folder / f"part-{start:05}.parquet")
    return folder


def test_traits_go_to_their_pictures(tmp_path: Path) -> None:
    folder = store(tmp_path / "test", [9, 2, 5, 4])
    sprites = load_sprites()
    for ids in ([2, 4, 5, 9], [9, 2], [5]):
        assert true_traits(folder, sprites, np.array(ids))[:, 0].tolist() == [i % 2 for i in ids]
    pictures = read_pictures(folder, 8, 3)
    assert true_traits(folder, sprites, pictures.ids)[:, 3].tolist() == [i % 2 for i in pictures.images[:, 0, 0, 0]]
    with pytest.raises(SwiggleError, match="7"):
        true_traits(folder, sprites, np.array([7]))


def test_a_source_without_traits_is_said_to_be_one(tmp_path: Path) -> None:
    from swiggle.data.reading import TraitsMissing

    with pytest.raises(TraitsMissing, match="no trait columns"):
        true_traits(store(tmp_path / "test", [1, 2], traits=False), load_sprites(), np.array([1]))
    assert issubclass(TraitsMissing, SwiggleError)


def test_captions_of_ids_go_to_their_pictures(tmp_path: Path) -> None:
    from swiggle.data.reading import captions_of

    folder = store(tmp_path / "train", [9, 2, 5, 4])
    assert captions_of(folder, np.array([2, 9, 5])) == ["no 2", "no 9", "no 5"]
    assert read_captions(folder, 2)[0].tolist() == [2, 9]


def test_a_split_without_pictures(tmp_path: Path) -> None:
    pictures = read_pictures(store(tmp_path / "test", []), 16)
    assert len(pictures) == 0
    assert pictures.images.shape == (0, 16, 16, 3)
    assert pictures.captions == []
    assert read_captions(tmp_path / "test")[1] == []
    with pytest.raises(SwiggleError):
        true_traits(tmp_path / "test", load_sprites(), pictures.ids)
