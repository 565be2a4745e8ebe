"""Reading stored latents."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow.compute import field
from pyarrow.dataset import dataset

from swiggle.data.splits import split_of


def read_latents(folder: Path, split: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 [N] and latents float32 [N, latent_dim], in order of id, of one split or of all."""
    ids, latents = _in_order(dataset(folder).to_table(["id", "latent"]))
    if split is None:
        return ids, latents
    keep = np.array([split_of(number) == split for number in ids.tolist()], bool)
    return ids[keep], latents[keep]


def latents_of_ids(folder: Path, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 [n], ascending, and latents float32 [n, latent_dim] of those of some pictures that are stored."""
    return _in_order(dataset(folder).to_table(["id", "latent"], filter=field("id").isin(ids)))


def first_latents(folder: Path, split: str, count: int) -> np.ndarray:
    """Latents float32 [count, latent_dim] of the pictures of a split with the least ids."""
    ids = np.sort(dataset(folder).to_table(["id"])["id"].to_numpy())
    chosen = [number for number in ids.tolist() if split_of(number) == split][:count]
    return latents_of_ids(folder, np.array(chosen, np.int64))[1]


def _in_order(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    ids = table["id"].to_numpy()
    latents = np.concatenate([chunk.flatten().to_numpy() for chunk in table["latent"].chunks]).reshape(len(ids), -1)
    order = np.argsort(ids)
    return ids[order], np.ascontiguousarray(latents[order])
