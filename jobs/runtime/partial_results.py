"""Parts of a stage that are kept, so that after a kill the stage goes on from the last one that is whole."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save_file
from scipy import sparse

from swiggle.storage import exists, join, local_copy, publish

FILE = "part"


def arrays_once(uri: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays kept at `uri`; made and kept there if they are not yet."""
    if not exists(uri):
        made = {name: np.ascontiguousarray(array) for name, array in make().items()}
        with publish(uri) as folder:
            save_file(made, folder / FILE)
    with local_copy(uri) as folder:
        return load_file(folder / FILE)


def rows_once(uri: str, wanted: list[int], make: Callable[[list[int]], Iterator[pa.Table]]) -> pa.Table:
    """A table with a row for each of the wanted `id`s, ascending. `make` yields tables of such as are missing, each
    of which is kept at `uri` as soon as it is there; what it leaves out is asked of it again the next time."""
    kept: list[pa.Table] = []
    if exists(uri):
        with local_copy(uri) as folder:
            kept = [pq.read_table(path) for path in sorted(folder.glob(f"*/{FILE}"))]
    done = {number for table in kept for number in table["id"].to_pylist()}
    if missing := [number for number in wanted if number not in done]:
        for table in make(missing):
            with publish(join(uri, str(table["id"][0]))) as folder:
                pq.write_table(table, folder / FILE)
            kept.append(table)
    return pa.concat_tables(kept).sort_by("id") if kept else pa.table({"id": pa.array([], pa.int64())})


def in_parts(name: str, matrix: sparse.csr_matrix) -> dict[str, np.ndarray]:
    """A square sparse matrix as arrays that can be kept."""
    return {f"{name}.{part}": getattr(matrix, part) for part in ("data", "indices", "indptr")}


def from_parts(name: str, arrays: dict[str, np.ndarray], size: int) -> sparse.csr_matrix:
    """What `in_parts` took apart, [size, size]."""
    return sparse.csr_matrix(tuple(arrays[f"{name}.{p}"] for p in ("data", "indices", "indptr")), shape=(size, size))
