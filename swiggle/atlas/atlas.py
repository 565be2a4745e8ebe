"""The atlas on disk and in memory.

atlas/features.parquet    one row a feature, its card (`cards.py`)
atlas/ablations.parquet   what taking each feature out of its top pictures does (`cards.py`)
atlas/map.safetensors     the map of features, to place later ones on it (`layout.py`)
atlas/arrays.safetensors  `footprint` [features, 32, 32] and `direction` [features, latent_dim], float16; co-activation:
                          up to 2,048 features `coactivation` [features, features], float16, for more
                          `coactivation_ids` int32 and `coactivation_values` float16 [features, 64]
atlas/pictures.parquet    the pictures that examples and samples refer to, as PNG
atlas/vocabulary.json     the words for the places of a picture
atlas/captioned_latents.safetensors, atlas/terms.json   training latents and their captions (`captioned_latents.py`)
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

from swiggle.atlas.captioned_latents import CaptionedLatents
from swiggle.atlas.cards import FEATURES, rule_from_json
from swiggle.atlas.label_text import LabelText, label_text
from swiggle.captions.vocabulary import Vocabulary

ARRAYS = "arrays.safetensors"
PICTURES = "pictures.parquet"
VOCABULARY = "vocabulary.json"
DENSE_UP_TO = 2_048
"""Features up to which the co-activation of all pairs is written, 8 MB of it."""
COACTIVE = 64
"""Of a feature of a larger dictionary, how many others are kept that are strong where it is."""
_EARLIER_NAMES = {"levels": "coactivation", "company_ids": "coactivation_ids", "company_levels": "coactivation_values"}
"""Of arrays, in bundles made before they had the names of the field."""


@dataclass
class Atlas:
    """`table` is features.parquet; `direction` [features, latent_dim] and `footprint` [features, 32, 32] as in
    arrays.safetensors; `pictures` id to PNG bytes; `samples` ids of held-out pictures; `captioned`, training latents
    and their captions. Of co-activation there is either all, [features, features], or `coactivation_ids` and
    `coactivation_values`; `coactive_with` reads both."""

    table: pa.Table
    direction: np.ndarray
    footprint: np.ndarray
    pictures: dict[int, bytes]
    samples: list[int]
    vocabulary: Vocabulary
    captioned: CaptionedLatents
    coactivation: np.ndarray | None = None
    coactivation_ids: np.ndarray | None = None
    coactivation_values: np.ndarray | None = None

    @classmethod
    def load(cls, folder: Path) -> "Atlas":
        """Read what `write_atlas` wrote."""
        arrays = {_EARLIER_NAMES.get(name, name): array for name, array in load_file(folder / ARRAYS).items()}
        pictures = pq.read_table(folder / PICTURES).to_pydict()
        stored = dict(zip(pictures["id"], pictures["image"], strict=True))
        samples = [i for i, sample in zip(pictures["id"], pictures["sample"], strict=True) if sample]
        vocabulary = Vocabulary.from_dict(json.loads((folder / VOCABULARY).read_text()))
        table = pq.read_table(folder / FEATURES)
        captioned = CaptionedLatents.load(folder)
        return cls(table, **arrays, pictures=stored, samples=samples, vocabulary=vocabulary, captioned=captioned)

    def __len__(self) -> int:
        return self.table.num_rows

    @cached_property
    def labels(self) -> list[str]:
        return self.table["label"].to_pylist()

    @cached_property
    def label_texts(self) -> list[LabelText]:
        """The labels in parts."""
        rules = map(rule_from_json, self.table["rule"].to_pylist())
        rows = zip(self.labels, self.places, rules, strict=True)
        return [label_text(label, place, rule, self.vocabulary) for label, place, rule in rows]

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

    def coactive_with(self, feature: int) -> tuple[np.ndarray, np.ndarray]:
        """Features, ascending, and the mean activation float32 of each where `feature` is strong."""
        if self.coactivation is not None:
            return np.arange(len(self)), self.coactivation[feature].astype(np.float32)
        assert self.coactivation_ids is not None
        assert self.coactivation_values is not None
        there = self.coactivation_ids[feature] >= 0
        return self.coactivation_ids[feature][there], self.coactivation_values[feature][there].astype(np.float32)

    def png(self, feature: int, kind: str) -> bytes:
        """A feature's `one_hot` or `natural` preview."""
        return self.table[kind][feature].as_py()


def write_arrays(
    folder: Path,
    coactivation: sparse.csr_matrix,
    direction: np.ndarray,
    footprint: np.ndarray,
    mean_activation: np.ndarray,
) -> None:
    """`coactivation` [i, j], CSR, the mean activation of feature j where i is strong. Where not all are written, the
    largest are kept in units of `mean_activation` [features]."""
    arrays = {"direction": direction.astype(np.float16), "footprint": footprint.astype(np.float16)}
    if coactivation.shape[0] <= DENSE_UP_TO:
        arrays["coactivation"] = coactivation.toarray().astype(np.float16)
    else:
        ids, values = strongest_coactivation(coactivation, mean_activation)
        arrays |= {"coactivation_ids": ids, "coactivation_values": values}
    save_file(arrays, folder / ARRAYS)


def strongest_coactivation(
    coactivation: sparse.csr_matrix, mean_activation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each feature the `COACTIVE` others that are strongest beside it, in their own units: ids int32, ascending,
    and their mean activations float16, [features, COACTIVE]; -1 and 0 where there are fewer."""
    ids = np.full((coactivation.shape[0], COACTIVE), -1, np.int32)
    kept = np.zeros(ids.shape, np.float16)
    for i in range(len(ids)):
        stored = slice(coactivation.indptr[i], coactivation.indptr[i + 1])
        others, level = coactivation.indices[stored], coactivation.data[stored]
        others, level = others[others != i], level[others != i]
        order = np.argsort(-level / np.maximum(mean_activation[others], 1e-12), kind="stable")[:COACTIVE]
        order = order[np.argsort(others[order])]
        ids[i, : len(order)], kept[i, : len(order)] = others[order], level[order]
    return ids, kept


def write_pictures(folder: Path, ids: Sequence[int], images: Sequence[bytes], samples: set[int]) -> None:
    columns = {"id": list(ids), "image": list(images), "sample": [i in samples for i in ids]}
    pq.write_table(pa.table(columns), folder / PICTURES)


def write_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    (folder / VOCABULARY).write_text(json.dumps(vocabulary.to_dict(), indent=1) + "\n")
