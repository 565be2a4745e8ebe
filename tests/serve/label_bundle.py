"""A bundle of five features, for tests of how labels are kept and found: no models, and a text encoder without one."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from swiggle.atlas.entries import hand_entries, made_entries
from swiggle.atlas.hand_labels import HandLabelFile
from swiggle.atlas.index import LabelIndex, open_chroma, open_locally
from swiggle.captions.vocabulary import Vocabulary
from swiggle.editing.planner import Planner

WORDS = ["shark", "pizza", "banana", "crown", "robot", "whale", "moon", "teapot"]
FEATURES = 5


class Encoder:
    """Texts to fixed unit vectors, at once."""

    def encode(self, texts: list[str]) -> np.ndarray:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") for text in texts]
        rows = np.array([np.random.default_rng(seed).normal(size=16) for seed in seeds], np.float32).reshape(-1, 16)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class FakeBundle:
    """What `RetrievalPart` asks of a bundle, with the bundle's own way of opening an index."""

    def __init__(self, folder: Path, dictionary: str) -> None:
        self.folder, self.dictionary = folder, dictionary
        vocabulary = Vocabulary({"head": ["head"]}, "head")
        first = int(dictionary[0], 16)  # another dictionary has other labels on its features
        words = [WORDS[(first + i) % len(WORDS)] for i in range(FEATURES)]
        self.atlas: Any = SimpleNamespace(
            labels=[f"{word} head" for word in words], words=words, places=["head"] * FEATURES, vocabulary=vocabulary
        )

    @property
    def hand_labels(self) -> HandLabelFile:
        return HandLabelFile(self.folder, self.dictionary)

    def open_index(self, chroma: str | None, by_hand: dict[int, str]) -> LabelIndex:
        made = made_entries(self.atlas)
        vectors = Encoder().encode([entry.words for entry in made])
        if chroma is not None:
            index = LabelIndex(open_chroma(chroma), made, vectors)
        else:
            index = open_locally([self.folder / "chroma"], made, vectors)
        index.label_by_hand(hand_entries(by_hand, self.atlas.vocabulary))
        return index

    def planner_with(self, index: LabelIndex) -> Planner:
        return Planner(self.atlas, index, np.zeros((FEATURES, 4), np.float32))
