import math
from collections.abc import Sequence

import numpy as np
import pytest

from swiggle.composition import composition_of
from swiggle.evaluation.trait_edits import draw_pairs, score
from swiggle.models.reconstruction import reconstruction_scores

NOUNS = composition_of("nouns")
SENTENCES = NOUNS.requests.development


@pytest.mark.parametrize("sigma", [0, 10])
def test_the_reader_reads_every_picture_as_it_looks(sigma: float) -> None:
    traits = NOUNS.draw(300, seed=5)
    pictures = NOUNS.render(traits)
    noise = np.random.default_rng(0).normal(0, sigma, pictures.shape)
    read = NOUNS.read(np.clip(pictures + noise, 0, 255).round().astype(np.uint8))
    equal = (NOUNS.render(read) == pictures).all(axis=(1, 2, 3))
    assert equal.mean() >= (1.0 if sigma == 0 else 0.98)
    assert (read[:, 3] == traits[:, 3]).mean() >= 0.99


def test_reconstruction_scores_by_hand() -> None:
    originals = np.full((2, 2, 2, 3), 100, np.uint8)
    shifted = originals.copy()
    shifted[0, 0, 0] = [116, 100, 100]
    shifted[1, 1, 1] = [117, 100, 100]
    scores = reconstruction_scores(originals, shifted)
    assert scores["pixels_within_16"] == pytest.approx(7 / 8)
    assert scores["psnr"] == pytest.approx(10 * math.log10(255**2 / ((16**2 + 17**2) / 24)))
    exact = reconstruction_scores(originals, originals)["psnr"]
    assert exact == pytest.approx(10 * math.log10(255**2 * originals.size))


def test_scores_of_a_perfect_and_of_an_idle_editor() -> None:
    traits = NOUNS.draw(30, seed=8)
    images = NOUNS.render(traits)
    pairs = draw_pairs(NOUNS, "head", images, traits, 12, seed=1)
    column = NOUNS.slots.index("head")
    assert (pairs.asked != pairs.traits[:, column]).all()

    def perfect(pictures: np.ndarray, prompts: Sequence[str]) -> np.ndarray:
        assert all(NOUNS.names("head")[value] in prompt for value, prompt in zip(pairs.asked, prompts, strict=True))
        return NOUNS.render(pairs.true())

    best = score(pairs, perfect, lambda x: x, SENTENCES)
    assert (best["success"], best["preservation"], best["exact"], best["leakage"]) == (1.0, 1.0, 1.0, 0.0)
    idle = score(pairs, lambda pictures, _: pictures, lambda x: x, SENTENCES)
    assert (idle["success"], idle["preservation"], idle["exact"], idle["leakage"]) == (0.0, 1.0, 0.0, 0.0)
    lighter = score(pairs, lambda pictures, _: np.minimum(pictures, 250) + np.uint8(5), lambda x: x, SENTENCES)
    assert 4.0 <= lighter["leakage"] <= 5.0
