"""Reading stored latents."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from swiggle.data.splits import split_of


def read_latents(folder: Path, split: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 [N] and latents float32 [N, latent_dim], in order of id, of one split or of all."""
    table = pq.read_table(folder, columns=["id", "latent"]).combine_chunks()
    ids = table["id"].to_numpy()
    latents = np.concatenate([chunk.flatten().to_numpy() for chunk in table["latent"].chunks]).reshape(len(ids), -1)
    order = np.argsort(ids)
    if split is not None:
        order = order[[split_of(int(number)) == split for number in ids[order]]]
    return ids[order], np.ascontiguousarray(latents[order])
