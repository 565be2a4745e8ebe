"""The atlas on disk and in memory.

atlas/features.parquet    one row a feature, its card (`cards.py`)
atlas/ablations.parquet   what taking each feature out of its top pictures does (`cards.py`)
atlas/map.safetensors     the map of features, to place later ones on it (`layout.py`)
atlas/arrays.safetensors  `levels` [features, features] and `footprint` [features, 32, 32], float16
atlas/pictures.parquet    the pictures that examples and samples refer to, as PNG
atlas/vocabulary.json     the words for the places of a picture
atlas/memory.safetensors, atlas/terms.json   what edits remember of the training pictures (`memory.py`)
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

from swiggle.atlas.cards import FEATURES
from swiggle.atlas.memory import Memory
from swiggle.vocabulary import Vocabulary

ARRAYS = "arrays.safetensors"
PICTURES = "pictures.parquet"
VOCABULARY = "vocabulary.json"


@dataclass
class Atlas:
    """`table` is features.parquet; `levels` [features, features], `direction` [features, latent_dim] and `footprint`
    [features, 32, 32] as in arrays.safetensors; `pictures` id to PNG bytes;
    `samples` ids of held-out pictures."""

    table: pa.Table
    levels: np.ndarray
    direction: np.ndarray
    footprint: np.ndarray
    pictures: dict[int, bytes]
    samples: list[int]
    vocabulary: Vocabulary
    memory: Memory

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

    def png(self, feature: int, kind: str) -> bytes:
        """A feature's `one_hot` or `natural` preview."""
        return self.table[kind][feature].as_py()


def write_arrays(folder: Path, levels: np.ndarray, direction: np.ndarray, footprint: np.ndarray) -> None:
    arrays = {"levels": levels, "direction": direction, "footprint": footprint}
    save_file({name: array.astype(np.float16) for name, array in arrays.items()}, folder / ARRAYS)


def write_pictures(folder: Path, ids: Sequence[int], images: Sequence[bytes], samples: set[int]) -> None:
    columns = {"id": list(ids), "image": list(images), "sample": [i in samples for i in ids]}
    pq.write_table(pa.table(columns), folder / PICTURES)


def write_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    (folder / VOCABULARY).write_text(json.dumps(vocabulary.to_dict(), indent=1) + "\n")
