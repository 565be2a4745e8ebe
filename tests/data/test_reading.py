from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from swiggle.composition import composition_of
from swiggle.data.pixels import encode_png
from swiggle.data.reading import TRAITS, TraitsMissing, read_captions, read_pictures, stacked
from swiggle.data.sources import FEATURES
from swiggle.errors import SwiggleError
from swiggle.evaluation.truth import composed, true_traits

NOUNS = composition_of("nouns")


def store(folder: Path, ids: list[int], traits: str = "beside") -> Path:
    """Pictures in the order of `ids`, in a file for each two of them. Their traits are those of their id: in a table
    `beside` the splits, in `columns` beside the pictures, as earlier releases wrote them, or `nowhere`."""
    folder.mkdir()
    named = {slot: [NOUNS.names(slot)[number % 2] for number in ids] for slot in NOUNS.slots}
    rows = [
        {
            "id": number,
            "image": {"bytes": encode_png(np.full((8, 8, 3), number, np.uint8)), "path": None},
            "caption": f"no {number}",
        }
        for number in ids
    ]
    for start in range(0, max(1, len(rows)), 2):
        table = pa.Table.from_pylist(rows[start : start + 2], schema=FEATURES.arrow_schema)
        if traits == "columns":
            for slot, names in named.items():
                table = table.append_column(slot, pa.array(names[start : start + 2], pa.string()))
        pq.write_table(table, folder / f"part-{start:05}.parquet")
    if traits == "beside":
        pq.write_table(pa.table({"id": pa.array(ids, pa.int64()), **named}), folder.parent / TRAITS)
    return folder


@pytest.mark.parametrize("where", ["beside", "columns"])
def test_traits_go_to_their_pictures(tmp_path: Path, where: str) -> None:
    folder = store(tmp_path / "test", [9, 2, 5, 4], where)
    for ids in ([2, 4, 5, 9], [9, 2], [5]):
        assert true_traits(folder, NOUNS, np.array(ids))[:, 0].tolist() == [i % 2 for i in ids]
    pictures = read_pictures(folder, 8, 3)
    assert true_traits(folder, NOUNS, pictures.ids)[:, 3].tolist() == [i % 2 for i in pictures.images[:, 0, 0, 0]]
    assert true_traits(folder, NOUNS)[:, 0].tolist() == [0, 0, 1, 1]  # by ascending id
    with pytest.raises(SwiggleError, match="7"):
        true_traits(folder, NOUNS, np.array([7]))


@pytest.mark.parametrize(
    ("sides", "expected"),
    [([8, 8, 8], 8), ([8, 8, 16], 32), ([16, 8, 32], 32), ([12, 12], 32), ([64, 8], 32), ([], 32)],
)
def test_pictures_keep_a_size_that_all_have_and_else_get_the_models(
    tmp_path: Path, sides: list[int], expected: int
) -> None:
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in sides]
    rows = [{"id": i, "image": {"bytes": encode_png(p), "path": None}, "caption": ""} for i, p in enumerate(pictures)]
    pq.write_table(pa.Table.from_pylist(rows, schema=FEATURES.arrow_schema), tmp_path / "part.parquet")
    found = read_pictures(tmp_path, 32).images
    assert found.shape == (len(sides), expected, expected, 3)
    if sides:
        assert np.array_equal(found, stacked(pictures, 32))


def test_a_source_without_traits_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(TraitsMissing, match="no traits of background"):
        true_traits(store(tmp_path / "test", [1, 2], "nowhere"), NOUNS, np.array([1]))
    with pytest.raises(TraitsMissing, match="no composed set"):
        composed("a/folder")
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
        true_traits(tmp_path / "test", NOUNS, pictures.ids)
