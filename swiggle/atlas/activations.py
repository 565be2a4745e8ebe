"""Activations of many pictures in sparse form: a few dozen of 2,048 features are active in each."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from pyarrow.compute import field
from pyarrow.dataset import dataset
from scipy import sparse

from swiggle.blocks import rows_at_once
from swiggle.sae.model import SparseAutoencoder


@dataclass(frozen=True)
class Activations:
    """`ids` int64 [N] ascending; `values` CSR float32 [N, features]."""

    ids: np.ndarray
    values: sparse.csr_matrix

    def rows(self, keep: np.ndarray) -> "Activations":
        """Only the rows where boolean `keep` [N] is true."""
        return Activations(self.ids[keep], self.values[keep])


@torch.inference_mode()
def activations_of(sae: SparseAutoencoder, latents: np.ndarray) -> sparse.csr_matrix:
    """Latents float32 [N, latent_dim] to activations CSR [N, features], a part at a time."""
    together = min(4096, rows_at_once(sae.config.features))
    parts = torch.from_numpy(latents).split(together)
    return sparse.vstack([sparse.csr_matrix(sae.encode(part.to(sae.device)).cpu().numpy()) for part in parts]).tocsr()


def to_table(ids: np.ndarray, matrix: sparse.csr_matrix) -> pa.Table:
    """Activations CSR [N, features] to a table with columns `id`, `feature` and `activation` (lists)."""
    offsets = pa.array(matrix.indptr.astype(np.int32))
    return pa.table(
        {
            "id": ids,
            "feature": pa.ListArray.from_arrays(offsets, pa.array(matrix.indices.astype(np.int32))),
            "activation": pa.ListArray.from_arrays(offsets, pa.array(matrix.data.astype(np.float32))),
        }
    )


def read_activations(folder: Path, features: int, ids: np.ndarray | None = None) -> Activations:
    """Read what `to_table` made, all files of a folder, in order of id; only some pictures if `ids` are given."""
    kept = None if ids is None else field("id").isin(ids)
    table = dataset(folder).to_table(filter=kept).combine_chunks()
    order = np.argsort(table["id"].to_numpy())
    lengths = table["feature"].combine_chunks().value_lengths().to_numpy()
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    columns = table["feature"].combine_chunks().flatten().to_numpy()
    data = table["activation"].combine_chunks().flatten().to_numpy()
    values = sparse.csr_matrix((data, columns, indptr), shape=(len(order), features))
    return Activations(table["id"].to_numpy()[order], values[order])
