from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.captioned_latents import CaptionedLatents, captioned_latents
from swiggle.captions.vocabulary import Mention, Vocabulary

VOCABULARY = Vocabulary(places={"head": ["head"], "body": ["shirt"]}, filler=frozenset({"a", "with"}))
HEADS = ("shark", "blue whale", "lamp")
SHIRTS = ("red", "blue")


@pytest.fixture
def latents_and_captions(rng: np.random.Generator) -> tuple[CaptionedLatents, np.ndarray, np.ndarray, np.ndarray]:
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
    return captioned_latents(latents, captions, codes, np.ones(3), labelled, VOCABULARY), latents, heads, shirts


def test_terms_are_what_captions_say_and_what_features_are_called(latents_and_captions: tuple) -> None:
    captioned = latents_and_captions[0]
    assert set(captioned.terms) == {
        *(Mention("head", tuple(head.split())) for head in (*HEADS, "whale")),
        *(Mention("body", (shirt,)) for shirt in SHIRTS),
    }
    parts = [term for term, whole in zip(captioned.terms, captioned.whole, strict=True) if not whole]
    assert [term.words for term in parts] == [("whale",)]


def test_pictures_and_shares_by_captions(latents_and_captions: tuple) -> None:
    captioned, _, heads, _ = latents_and_captions
    whale = captioned.number[Mention("head", ("whale",))]
    expected = np.flatnonzero(heads == 1)
    assert captioned.pictures(whale).tolist() == expected[expected > 0].tolist()  # the first has no caption
    assert captioned.term_share[1, whale] > 0.95
    assert captioned.term_share[0, whale] == 0


def test_reads_what_a_caption_would_say(latents_and_captions: tuple, rng: np.random.Generator) -> None:
    captioned, latents, heads, shirts = latents_and_captions
    for row in rng.integers(300, size=40):
        read = captioned.read(latents[row])
        assert captioned.terms[read["head"]].words == tuple(HEADS[heads[row]].split())
        assert captioned.terms[read["body"]].words == (SHIRTS[shirts[row]],)


def test_round_trip(latents_and_captions: tuple, tmp_path: Path) -> None:
    captioned, latents, *_ = latents_and_captions
    captioned.save(tmp_path)
    loaded = CaptionedLatents.load(tmp_path)
    assert loaded.terms == captioned.terms
    for name in ("latents", "term_share", "discriminant", "whole"):
        assert np.array_equal(getattr(loaded, name), getattr(captioned, name)), name
    for term in range(len(captioned.terms)):
        assert np.array_equal(loaded.pictures(term), captioned.pictures(term))
    assert loaded.read(latents[7]) == captioned.read(latents[7])


def test_no_captions_no_terms(rng: np.random.Generator, tmp_path: Path) -> None:
    latents, codes = rng.normal(size=(20, 8)).astype(np.float32), sparse.csr_matrix(np.ones((20, 3), np.float32))
    captioned_latents(latents, [None] * 20, codes, np.ones(3), [], VOCABULARY).save(tmp_path)
    captioned = CaptionedLatents.load(tmp_path)
    assert captioned.terms == []
    assert captioned.read(latents[0]) == {}
