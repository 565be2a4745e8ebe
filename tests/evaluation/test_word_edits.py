"""Pictures are vectors here, and a word is a direction in them, so how near an edit comes is known."""

import numpy as np
import pytest

from swiggle.captions.vocabulary import Vocabulary
from swiggle.evaluation.word_edits import CaptionWords, Nearness, frequent_words, summarised

RED, ROUND, STEP = 0, 1, 6.0
CAPTIONS = [
    " ".join(
        word for word, there in (("red", i % 4 == 0), ("round", i % 3 == 0), ("square", i % 3 == 1)) if there
    )
    for i in range(120)
]  # fmt: skip


def planted(rng: np.random.Generator) -> Nearness:
    """Of 120 pictures, each word adds a step along an axis of its own; the model draws all with one shift."""
    words = CaptionWords.of(CAPTIONS, ["red", "round", "square"])
    originals = rng.normal(size=(120, 12))
    originals[:, :3] += STEP * words.said
    return Nearness(originals, originals + 100.0, words)


def moved(nearness: Nearness, of: np.ndarray, axis: int, by: float) -> np.ndarray:
    edited = nearness.drawn[of].copy()
    edited[:, axis] += by
    return edited


def test_words_of_content_that_come_back_are_asked_for() -> None:
    captions = ["The red-hot cat, on a mat"] * 30 + ["a dog"] * 19 + ["a BIRD"] * 20 + [None]
    assert frequent_words(captions, Vocabulary(filler=frozenset({"mat"}))) == ["cat", "hot", "red", "bird"]


def test_who_has_which_word() -> None:
    known = CaptionWords.of(["red cat", "dog", None, "red, dog"], ["red", "cat", "dog"])
    assert known.have("red").tolist() == [True, False, False, True]
    assert known.together().tolist() == [[True, True, True], [True, True, False], [True, False, True]]
    assert known.scored() == []
    assert CaptionWords.of(["a b"] * 3 + ["a"] * 20, ["a", "b"]).scored() == ["b"]


def test_an_edit_along_the_words_own_direction_ranks_first(rng: np.random.Generator) -> None:
    nearness = planted(rng)
    of = np.flatnonzero(~nearness.words.have("red"))
    assert nearness.ranks(moved(nearness, of, RED, STEP), of, "red").mean() > 0.97
    assert nearness.ranks(moved(nearness, of, RED, -STEP), of, "red").mean() < 0.1
    assert nearness.ceiling("red").mean() > 0.97
    # Chance: no edit, and the edit by another word.
    assert nearness.ranks(nearness.drawn[of], of, "red").mean() == pytest.approx(0.5, abs=0.03)
    without = of[~nearness.words.have("round")[of]]
    assert nearness.ranks(moved(nearness, without, ROUND, STEP), without, "red").mean() < 0.65


def test_what_the_model_does_to_every_picture_counts_for_nothing(rng: np.random.Generator) -> None:
    nearness = planted(rng)
    same = Nearness(nearness.originals, nearness.originals, nearness.words)
    np.testing.assert_allclose(
        nearness.near(nearness.drawn[:9], "red"), same.near(same.drawn[:9], "red"), atol=1e-9
    )  # fmt: skip


def test_the_ceiling_leaves_each_picture_out_of_the_mean_that_it_is_compared_with(rng: np.random.Generator) -> None:
    noise = rng.normal(size=(60, 400))
    words = CaptionWords.of(["said"] * 4 + [""] * 56, ["said"])
    nearness = Nearness(noise, noise, words)
    assert nearness.ceiling("said").mean() < 0.8
    assert nearness.ranks(noise[:4], np.arange(4), "said").mean() == 1.0  # what a mean with the picture in it says


def test_other_words_are_kept_or_lost(rng: np.random.Generator) -> None:
    nearness = planted(rng)
    together = nearness.words.together()
    of = np.flatnonzero(nearness.words.have("round") & ~nearness.words.have("red"))
    kept = nearness.kept(moved(nearness, of, RED, STEP), of, "red", together)
    lost = nearness.kept(moved(nearness, of, ROUND, -2 * STEP), of, "red", together)
    assert nearness.kept(nearness.drawn[of], of, "red", together).tolist() == [0.0] * len(of)
    assert kept.mean() > -0.15
    assert lost.mean() < -0.6
    # "round" and "square" never stand together, so making it square may take round away.
    square = nearness.kept(moved(nearness, of, ROUND, -2 * STEP), of, "square", together)
    assert len(square) == 0


def test_words_count_alike_however_many_edits_they_have() -> None:
    found = summarised([np.array([1.0, 1.0, 1.0, 0.5]), np.array([0.0])])
    assert found == {"rank": pytest.approx(0.4375), "arrived": pytest.approx(0.375)}
