from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from swiggle.data.latents import first_latents, latents_of_ids, read_latents
from swiggle.data.splits import split_of


def store(folder: Path, ids: list[int], splits: list[str] | None = None) -> Path:
    folder.mkdir()
    flat = pa.array(np.repeat(np.array(ids, np.float32), 3))
    columns = {"id": pa.array(ids), "latent": pa.FixedSizeListArray.from_arrays(flat, 3)}
    if splits is not None:
        columns["split"] = pa.array(splits)
    pq.write_table(pa.table(columns), folder / "part.parquet")
    return folder


def test_latents_without_a_split_column_are_split_by_id(tmp_path: Path) -> None:
    folder = store(tmp_path / "latents", [*range(39, -1, -1)])
    ids, latents = read_latents(folder, "test")
    assert ids.tolist() == [i for i in range(40) if split_of(i) == "test"] == latents[:, 0].tolist()
    assert first_latents(folder, "test", 2)[:, 0].tolist() == ids[:2].tolist()


def test_the_stored_split_counts(tmp_path: Path) -> None:
    splits = ["test", "train", "validation", "train", "test"]
    folder = store(tmp_path / "latents", [5, 4, 3, 2, 1], splits)
    assert read_latents(folder, "test")[0].tolist() == [1, 5]
    assert read_latents(folder, "train")[0].tolist() == [2, 4]
    assert read_latents(folder)[0].tolist() == [1, 2, 3, 4, 5]
    assert first_latents(folder, "train", 1)[:, 0].tolist() == [2]


def test_rows_of_a_split_of_a_batch() -> None:
    from swiggle.data.latents import of_split

    ids = pa.array(range(40))
    old = pa.table({"id": ids})
    assert of_split(old, "train")["id"].to_pylist() == [i for i in range(40) if split_of(i) == "train"]
    new = old.append_column("split", pa.array(["test"] * 39 + ["train"]))
    assert of_split(new, "train")["id"].to_pylist() == [39]
    assert of_split(new, "validation").num_rows == 0


def test_none_is_an_answer(tmp_path: Path) -> None:
    folder = store(tmp_path / "latents", [2, 1], ["train", "train"])
    ids, latents = latents_of_ids(folder, np.array([], np.int64))
    assert ids.shape == (0,)
    assert latents.shape == (0, 3)
    assert read_latents(folder, "test")[1].shape == (0, 3)
    assert first_latents(folder, "test", 4).shape == (0, 3)
