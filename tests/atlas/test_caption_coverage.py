import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.caption_coverage import caption_coverage
from swiggle.captions.vocabulary import Vocabulary

VOCABULARY = Vocabulary(places={"head": ["head"], "body": ["shirt"]}, filler=frozenset({"a", "with"}))
HEADS, SHIRTS = ("shark", "lamp"), ("red", "blue", "green")


def drawn(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, list[str | None]]:
    heads, shirts = rng.integers(2, size=count), rng.integers(3, size=count)
    captions = [f"a {HEADS[h]} head with a {SHIRTS[s]} shirt" for h, s in zip(heads, shirts, strict=True)]
    return heads, shirts, list(captions)


def test_the_best_detector_of_each_thing_counts_and_places_count_alike(rng: np.random.Generator) -> None:
    parts = []
    for count in (600, 300):
        heads, shirts, captions = drawn(rng, count)
        codes = np.zeros((count, 4), np.float32)
        codes[:, 0], codes[:, 1] = heads == 0, heads == 1
        codes[:, 2] = np.where(shirts == 0, 1.0, 0.1)  # tells red from the rest only above a threshold
        codes[:, 3] = 1.0  # fires always
        parts.append((sparse.csr_matrix(codes), captions))
    always = [
        2 * share / (1 + share) for word in ("blue", "green")
        for share in [np.mean([word in str(caption) for caption in parts[1][1]])]
    ]  # fmt: skip
    expected = (1.0 + (1.0 + sum(always)) / 3) / 2
    assert caption_coverage(parts[0], parts[1], VOCABULARY) == pytest.approx(expected, abs=0.02)


def test_no_captions_no_score() -> None:
    nothing = (sparse.csr_matrix(np.ones((30, 2), np.float32)), [None] * 30)
    assert caption_coverage(nothing, nothing, VOCABULARY) is None
