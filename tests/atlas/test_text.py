"""The quick way through the text encoder gives what the general one gives."""

import unicodedata

import numpy as np
import pytest

from swiggle.atlas.text import text_encoder

TEXTS = [
    "shark", "a pizza head", "square red glasses", "", " ", "x", "MAKE IT A SHARK!", "un café, s'il vous plaît",
    "鲨鱼的头", "سمكة القرش", "🦈🦈", "a\nb\tc", "word " * 40, "word " * 400, "antidisestablishmentarianism" * 3,
]  # fmt: skip


def test_one_text_and_many_give_the_same_vectors() -> None:
    encoder = text_encoder()
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(alone, together, atol=2e-6)
    np.testing.assert_array_equal(
        np.argsort(-alone @ alone.T, axis=1)[:, :3], np.argsort(-together @ together.T)[:, :3]
    )


def test_what_is_remembered_cannot_be_changed_from_outside() -> None:
    encoder = text_encoder()
    first = encoder.encode(["shark"])
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(encoder.encode(["shark"]), kept)


def test_words_that_the_model_cannot_read_are_told_apart() -> None:
    """Two emoji are both [UNK], accents are stripped, vowel signs of Devanagari too."""
    encoder = text_encoder()
    for one, other in (
        ("🦈", "🎩"),
        ("👍🏽", "👍🏿"),
        ("pêche", "péché"),
        ("कि", "कु"),
        ("🦈 head", "🎩 head"),
        ("蜜蜂", "蜂蜜"),
    ):
        a, b, again = encoder.encode([one, other, unicodedata.normalize("NFD", one)])
        assert a @ b < 0.95, (one, other)
        assert a @ again == pytest.approx(1.0, abs=1e-5)
        np.testing.assert_allclose(encoder.encode([one])[0], a, atol=2e-6)
    assert encoder.encode(["🦈"])[0] @ encoder.encode(["🦈 chapeau"])[0] > 0.6
    assert encoder.encode(["cafe"])[0] @ encoder.encode(["café"])[0] > 0.9


def test_plain_words_keep_their_vectors() -> None:
    """Those of the labels of every bundle so far."""
    from sentence_transformers import SentenceTransformer

    encoder = text_encoder()
    assert isinstance(encoder._model, SentenceTransformer)
    texts = ["shark", "square red", "wet money"]
    np.testing.assert_array_equal(encoder.encode(texts), encoder._model.encode(texts, normalize_embeddings=True))
