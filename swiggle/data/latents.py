"""Reading stored latents."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.compute import field
from pyarrow.dataset import dataset

from swiggle.data.splits import split_of


def of_split(rows: pa.Table, split: str) -> pa.Table:
    """The rows of a split, by their column `split`; where there is none, as in latents of older runs, by `id`."""
    if "split" in rows.column_names:
        return rows.filter(pc.equal(rows["split"], split))
    return rows.filter(pa.array([split_of(number) == split for number in rows["id"].to_pylist()], pa.bool_()))


def read_latents(folder: Path, split: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 [N] and latents float32 [N, latent_dim], in order of id, of one split or of all."""
    stored = dataset(folder)
    rows = stored.to_table([name for name in ("id", "latent", "split") if name in stored.schema.names])
    return _in_order(rows if split is None else of_split(rows, split))


def latents_of_ids(folder: Path, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 [n], ascending, and latents float32 [n, latent_dim] of those of some pictures that are stored."""
    return _in_order(dataset(folder).to_table(["id", "latent"], filter=field("id").isin(ids)))


def first_latents(folder: Path, split: str, count: int) -> np.ndarray:
    """Latents float32 [count, latent_dim] of the pictures of a split with the least ids."""
    stored = dataset(folder)
    known = stored.to_table([name for name in ("id", "split") if name in stored.schema.names])
    chosen = np.sort(of_split(known, split)["id"].to_numpy())[:count]
    return latents_of_ids(folder, chosen)[1]


def vary(latents: np.ndarray) -> bool:
    """Whether latents [N, ...] differ, so that a share of their variation means something."""
    return len(latents) > 1 and bool((latents != latents[0]).any())


def _in_order(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    ids = table["id"].to_numpy()
    flat = [np.empty(0, np.float32), *(chunk.flatten().to_numpy() for chunk in table["latent"].chunks)]
    latents = np.concatenate(flat).reshape(len(ids), table.schema.field("latent").type.list_size)
    order = np.argsort(ids)
    return ids[order], np.ascontiguousarray(latents[order])
