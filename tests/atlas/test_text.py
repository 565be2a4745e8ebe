"""The quick way through the text encoder gives what the general one gives."""

import numpy as np

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
