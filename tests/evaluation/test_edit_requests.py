from collections.abc import Sequence

import numpy as np
import pytest
from scipy import sparse

from swiggle.composition import composition_of
from swiggle.evaluation.dials import STRENGTHS, dial_curves, monotone_share, named_traits
from swiggle.evaluation.edit_requests import left_alone, removal, two_slots
from swiggle.evaluation.retrieval_scores import changes_read, features_of, recall

SENTENCES = composition_of("nouns").requests.development

NOUNS = composition_of("nouns")
TRAITS = NOUNS.draw(8, seed=5)
IMAGES = NOUNS.render(TRAITS)


def unchanged(pictures: np.ndarray, prompts: Sequence[str]) -> np.ndarray:
    return pictures


def black(pictures: np.ndarray, prompts: Sequence[str]) -> np.ndarray:
    return np.zeros_like(pictures)


def obedient(pictures: np.ndarray, prompts: Sequence[str]) -> np.ndarray:
    """The pictures with every trait that their prompts name."""
    traits = NOUNS.read(pictures)
    for row, prompt in enumerate(prompts):
        for part in prompt.split(", and "):
            for column, slot in enumerate(NOUNS.slots):
                for value, name in enumerate(NOUNS.names(slot)):
                    if part == SENTENCES[slot][0].format(name=name):
                        traits[row, column] = value
    return NOUNS.render(traits)


def plain(pictures: np.ndarray, prompts: Sequence[str]) -> np.ndarray:
    """The pictures without a print, whatever shirt is below it."""
    traits = NOUNS.read(pictures)
    traits[:, NOUNS.slots.index("accessory")] = NOUNS.names("accessory").index("none")
    return NOUNS.render(traits)


def test_two_slots() -> None:
    right = two_slots(NOUNS, IMAGES, TRAITS, obedient, lambda x: x, seed=0, sentences=SENTENCES)
    assert right["rest"] >= 0.8  # a print can hide the shirt that was asked for
    assert right["both"] >= 0.7
    nothing = two_slots(NOUNS, IMAGES, TRAITS, unchanged, lambda x: x, seed=0, sentences=SENTENCES)
    assert nothing["both"] == nothing["success"] == 0.0
    assert nothing["rest"] == 1.0


def test_removal() -> None:
    idle = removal(NOUNS, "glasses", IMAGES, TRAITS, unchanged, lambda x: x)
    assert idle == {"gone": 0, "rest": 1, "rest_strict": 1, "outside": 1}
    assert set(removal(NOUNS, "accessory", IMAGES, TRAITS, plain, lambda x: x).values()) == {1}
    frame = removal(NOUNS, "glasses", IMAGES, TRAITS, black, lambda x: x)
    assert frame["outside"] == 0.0
    assert frame["rest"] < 0.5


def test_left_alone() -> None:
    assert set(left_alone(NOUNS, IMAGES, TRAITS, unchanged, lambda x: x, SENTENCES).values()) == {1.0}
    assert set(left_alone(NOUNS, IMAGES, TRAITS, black, lambda x: x, SENTENCES).values()) == {0.0}


@pytest.mark.parametrize("slot", NOUNS.slots)
def test_margins_tell_what_is_there(slot: str) -> None:
    column = NOUNS.slots.index(slot)
    other = (TRAITS[:, column] + 1) % len(NOUNS.names(slot))
    assert (NOUNS.margins(IMAGES, TRAITS, slot, TRAITS[:, column]) >= 0).all()
    assert (NOUNS.margins(IMAGES, TRAITS, slot, other) <= 0).all()


def test_features_of_traits_and_their_recall(rng: np.random.Generator) -> None:
    traits = NOUNS.draw(400, seed=1)
    heads = traits[:, NOUNS.slots.index("head")]
    one, other = (int(value) for value in np.unique(heads)[:2])
    fires = np.stack([heads == one, heads == other, rng.random(400) < 0.5], axis=1)
    code = sparse.csr_matrix(fires.astype(np.float32))
    of = features_of(code, traits, NOUNS)
    assert of["head"][:, one].tolist() == [True, False, False]
    assert of["head"][:, other].tolist() == [False, True, False]
    names = NOUNS.names("head")
    found = recall(lambda prompt: [2, 0] if names[one] in prompt else [2], of, NOUNS)
    assert 0 < found["plain"] < 1
    assert 0 < found["paraphrased"] < 1
    assert 0 < found["covered"] < 0.1
    words, places = [names[one], "no such", names[other]], ["head", "head", "glasses"]
    assert named_traits(NOUNS, words, places) == {0: ("head", one)}


def test_dials_that_fade_a_head_in_are_monotone_and_those_that_do_not_are_not() -> None:
    """A decoder of pictures as latents, with a feature that paints another head and one that paints it out."""
    traits, column = TRAITS[:2], NOUNS.slots.index("head")
    asked = (traits[:, column] + 1) % len(NOUNS.names("head"))
    wanted = traits[:1].copy()
    wanted[0, column] = asked[0]
    latents = NOUNS.render(traits).reshape(2, -1).astype(np.float32)
    step = 0.5 * (NOUNS.render(wanted).reshape(-1).astype(np.float32) - latents[0])
    rows = np.stack([step, -step, 0 * step])
    named = dict.fromkeys(range(3), ("head", int(asked[0])))
    curves = dial_curves(
        NOUNS,
        lambda z: np.clip(z, 0, 255).astype(np.uint8).reshape(-1, 32, 32, 3),
        latents[:1], np.zeros((1, 3), np.float32), rows, np.ones(3, np.float32), named,
    )  # fmt: skip
    assert [monotone_share([curves[feature]]) for feature in range(3)] == [1.0, 0.0, 0.0]
    peak = -np.abs(STRENGTHS - 1.6)
    assert monotone_share([peak]) == 0.0 < monotone_share([peak], up_to=1.5)


def test_requests_for_more_and_less() -> None:
    assert changes_read(lambda prompt: ["lower"], NOUNS) == 0.5
