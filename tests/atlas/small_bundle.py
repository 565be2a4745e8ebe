"""A bundle of a dozen features in a folder, and a text encoder that needs no model: for tests of labels and their index."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from swiggle.atlas.atlas import Atlas
from swiggle.bundle import Bundle
from swiggle.vocabulary import Vocabulary

WORDS = ["shark", "pizza", "crown", "banana", "red", "blue", "green", "shark", "stripes", "dots", "", ""]
PLACES = ["head"] * 4 + ["body"] * 3 + ["accessory"] * 3 + [None] * 2
DICTIONARIES = ("1" * 16, "2" * 16)


class Hashed:
    """Texts to unit vectors that depend on nothing but the text: equal for equal texts, unrelated for others."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        drawn = [self._rng(text).normal(size=384) for text in texts]
        vectors = np.array(drawn, np.float32).reshape(len(texts), 384)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _rng(self, text: str) -> np.random.Generator:
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))


def without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swiggle.atlas.index.text_encoder", Hashed)


def small_bundle(folder: Path, dictionary: str = DICTIONARIES[0]) -> Bundle:
    """What a bundle needs for labels to be found. The labels of another dictionary stand on other features."""
    turn = DICTIONARIES.index(dictionary)
    words, places = WORDS[turn:] + WORDS[:turn], PLACES[turn:] + PLACES[:turn]
    labels = [f"{word} {place}" if word else "unexplained" for word, place in zip(words, places, strict=True)]
    nothing: Any = None
    table = pa.table(
        {
            "label": labels, "words": words, "place": places, "confidence": np.ones(len(words)),
            "source": ["caption" if word else "unexplained" for word in words],
            "mean_activation": np.ones(len(words)),
        }
    )  # fmt: skip
    atlas = Atlas(table, nothing, nothing, nothing, {}, [], Vocabulary.load("nouns"), nothing)
    (folder / "index").mkdir(parents=True, exist_ok=True)
    labelled = [i for i, word in enumerate(words) if word]
    vectors = Hashed().encode([words[i] for i in labelled])
    pq.write_table(
        pa.table({"feature": labelled, "embedding": [row.tolist() for row in vectors]}), folder / "index/labels.parquet"
    )
    manifest = {"version": 4, "files": {"sae/model.safetensors": dictionary + "0" * 48}}
    (folder / "bundle.json").write_text(json.dumps(manifest))
    sae: Any = SimpleNamespace(W_dec=torch.eye(len(words)))
    return Bundle(folder, manifest, nothing, sae, atlas)
