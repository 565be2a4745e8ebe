from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.captioned_latents import MIN_SAID, Memory, remember
from swiggle.captions.vocabulary import Mention, Vocabulary

VOCABULARY = Vocabulary(places={"head": ["head"], "body": ["shirt"]}, filler=frozenset({"a", "with"}))
HEADS = ("shark", "blue whale", "lamp")
SHIRTS = ("red", "blue")


@pytest.fixture
def remembered(rng: np.random.Generator) -> tuple[Memory, np.ndarray, np.ndarray, np.ndarray]:
    """300 pictures whose latents are sums of a vector a head and one a shirt; feature i fires on head i."""
    heads, shirts = rng.integers(3, size=300), rng.integers(2, size=300)
    vectors = rng.normal(size=(5, 16))
    latents = (vectors[heads] + vectors[3 + shirts] + 0.05 * rng.normal(size=(300, 16))).astype(np.float32)
    captions: list[str | None] = [
        f"a {HEADS[h]} head with a {SHIRTS[s]} shirt" for h, s in zip(heads, shirts, strict=True)
    ]
    captions[0] = None
    codes = sparse.csr_matrix((heads[:, None] == np.arange(3)).astype(np.float32))
    labelled = [Mention("head", ("whale",))]
    return remember(latents, captions, codes, np.ones(3), labelled, VOCABULARY), latents, heads, shirts


def test_terms_are_what_captions_say_and_what_features_are_called(remembered: tuple) -> None:
    memory = remembered[0]
    assert set(memory.terms) == {
        *(Mention("head", tuple(head.split())) for head in (*HEADS, "whale")),
        *(Mention("body", (shirt,)) for shirt in SHIRTS),
    }
    assert [term.words for term, whole in zip(memory.terms, memory.whole, strict=True) if not whole] == [("whale",)]
    assert MIN_SAID < 50


def test_pictures_and_shares_by_captions(remembered: tuple) -> None:
    memory, _, heads, _ = remembered
    whale = memory.number[Mention("head", ("whale",))]
    expected = np.flatnonzero(heads == 1)
    assert memory.pictures(whale).tolist() == expected[expected > 0].tolist()  # the first has no caption
    assert memory.held[1, whale] > 0.95
    assert memory.held[0, whale] == 0


def test_reads_what_a_caption_would_say(remembered: tuple, rng: np.random.Generator) -> None:
    memory, latents, heads, shirts = remembered
    for row in rng.integers(300, size=40):
        read = memory.read(latents[row])
        assert memory.terms[read["head"]].words == tuple(HEADS[heads[row]].split())
        assert memory.terms[read["body"]].words == (SHIRTS[shirts[row]],)


def test_round_trip(remembered: tuple, tmp_path: Path) -> None:
    memory, latents, *_ = remembered
    memory.save(tmp_path)
    loaded = Memory.load(tmp_path)
    assert loaded.terms == memory.terms
    for name in ("latents", "held", "reader", "whole"):
        assert np.array_equal(getattr(loaded, name), getattr(memory, name)), name
    for term in range(len(memory.terms)):
        assert np.array_equal(loaded.pictures(term), memory.pictures(term))
    assert loaded.read(latents[7]) == memory.read(latents[7])


def test_no_captions_no_terms(rng: np.random.Generator, tmp_path: Path) -> None:
    latents, codes = rng.normal(size=(20, 8)).astype(np.float32), sparse.csr_matrix(np.ones((20, 3), np.float32))
    remember(latents, [None] * 20, codes, np.ones(3), [], VOCABULARY).save(tmp_path)
    memory = Memory.load(tmp_path)
    assert memory.terms == []
    assert memory.read(latents[0]) == {}
