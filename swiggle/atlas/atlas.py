"""The atlas on disk and in memory.

atlas/features.parquet    one row a feature, its card (`cards.py`)
atlas/ablations.parquet   what taking each feature out of its top pictures does (`cards.py`)
atlas/map.safetensors     the map of features, to place later ones on it (`layout.py`)
atlas/arrays.safetensors  `footprint` [features, 32, 32] and `direction` [features, latent_dim], float16; the company of
                          each feature: up to 2,048 features `levels` [features, features], float16, for more
                          `company_ids` int32 and `company_levels` float16 [features, 64]
atlas/pictures.parquet    the pictures that examples and samples refer to, as PNG
atlas/vocabulary.json     the words for the places of a picture
atlas/memory.safetensors, atlas/terms.json   what edits remember of the training pictures (`captioned_latents.py`)
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save_file
from scipy import sparse

from swiggle.atlas.captioned_latents import Memory
from swiggle.atlas.cards import FEATURES
from swiggle.captions.vocabulary import Vocabulary

ARRAYS = "arrays.safetensors"
PICTURES = "pictures.parquet"
VOCABULARY = "vocabulary.json"
DENSE_UP_TO = 2_048
"""Features up to which all levels are written, 8 MB of them."""
COMPANY = 64
"""Of a feature of a larger dictionary, how many others are kept that are strong where it is."""


@dataclass
class Atlas:
    """`table` is features.parquet; `direction` [features, latent_dim] and `footprint` [features, 32, 32] as in
    arrays.safetensors; `pictures` id to PNG bytes; `samples` ids of held-out pictures. Of the company of features there
    are either `levels` or `company_ids` and `company_levels`; `company` reads both."""

    table: pa.Table
    direction: np.ndarray
    footprint: np.ndarray
    pictures: dict[int, bytes]
    samples: list[int]
    vocabulary: Vocabulary
    memory: Memory
    levels: np.ndarray | None = None
    company_ids: np.ndarray | None = None
    company_levels: np.ndarray | None = None

    @classmethod
    def load(cls, folder: Path) -> "Atlas":
        """Read what `write_atlas` wrote."""
        arrays = load_file(folder / ARRAYS)
        pictures = pq.read_table(folder / PICTURES).to_pydict()
        stored = dict(zip(pictures["id"], pictures["image"], strict=True))
        samples = [i for i, sample in zip(pictures["id"], pictures["sample"], strict=True) if sample]
        vocabulary = Vocabulary.from_dict(json.loads((folder / VOCABULARY).read_text()))
        table = pq.read_table(folder / FEATURES)
        memory = Memory.load(folder)
        return cls(table, **arrays, pictures=stored, samples=samples, vocabulary=vocabulary, memory=memory)

    def __len__(self) -> int:
        return self.table.num_rows

    @cached_property
    def labels(self) -> list[str]:
        return self.table["label"].to_pylist()

    @cached_property
    def words(self) -> list[str]:
        return self.table["words"].to_pylist()

    @cached_property
    def places(self) -> list[str | None]:
        return self.table["place"].to_pylist()

    @cached_property
    def confidence(self) -> np.ndarray:
        return self.table["confidence"].to_numpy()

    @cached_property
    def density(self) -> np.ndarray:
        return self.table["density"].to_numpy()

    @cached_property
    def mean_activation(self) -> np.ndarray:
        return self.table["mean_activation"].to_numpy()

    @cached_property
    def example_ids(self) -> list[list[int]]:
        """Ids of each feature's top examples, strongest first; empty for a feature that never fires."""
        return self.table["example_ids"].to_pylist()

    def company(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """Features, ascending, and the mean activation float32 of each where `feature` is strong."""
        if self.levels is not None:
            return np.arange(len(self)), self.levels[feature].astype(np.float32)
        assert self.company_ids is not None
        assert self.company_levels is not None
        there = self.company_ids[feature] >= 0
        return self.company_ids[feature][there], self.company_levels[feature][there].astype(np.float32)

    def png(self, feature: int, kind: str) -> bytes:
        """A feature's `one_hot` or `natural` preview."""
        return self.table[kind][feature].as_py()


def write_arrays(
    folder: Path,
    levels: sparse.csr_matrix,
    direction: np.ndarray,
    footprint: np.ndarray,
    mean_activation: np.ndarray,
) -> None:
    """`levels` [i, j], CSR, the mean activation of feature j where i is strong. Where not all are written, the largest
    are kept in units of `mean_activation` [features]."""
    arrays = {"direction": direction.astype(np.float16), "footprint": footprint.astype(np.float16)}
    if levels.shape[0] <= DENSE_UP_TO:
        arrays["levels"] = levels.toarray().astype(np.float16)
    else:
        arrays["company_ids"], arrays["company_levels"] = strongest_company(levels, mean_activation)
    save_file(arrays, folder / ARRAYS)


def strongest_company(levels: sparse.csr_matrix, mean_activation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each feature the `COMPANY` others that are strongest beside it, in their own units: ids int32, ascending, and
    levels float16, [features, COMPANY]; -1 and 0 where there are fewer."""
    ids = np.full((levels.shape[0], COMPANY), -1, np.int32)
    kept = np.zeros(ids.shape, np.float16)
    for i in range(len(ids)):
        stored = slice(levels.indptr[i], levels.indptr[i + 1])
        others, level = levels.indices[stored], levels.data[stored]
        others, level = others[others != i], level[others != i]
        order = np.argsort(-level / np.maximum(mean_activation[others], 1e-12), kind="stable")[:COMPANY]
        order = order[np.argsort(others[order])]
        ids[i, : len(order)], kept[i, : len(order)] = others[order], level[order]
    return ids, kept


def write_pictures(folder: Path, ids: Sequence[int], images: Sequence[bytes], samples: set[int]) -> None:
    columns = {"id": list(ids), "image": list(images), "sample": [i in samples for i in ids]}
    pq.write_table(pa.table(columns), folder / PICTURES)


def write_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    (folder / VOCABULARY).write_text(json.dumps(vocabulary.to_dict(), indent=1) + "\n")
