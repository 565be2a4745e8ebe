import numpy as np
import pytest
from scipy import sparse

from swiggle.data.nouns import draw_traits
from swiggle.data.sprites import SLOTS, load_sprites
from swiggle.evaluation.dials import named_traits
from swiggle.evaluation.noun_edit import PROMPTS
from swiggle.evaluation.reader import TraitReader
from swiggle.evaluation.requests import left_alone, removal, two_slots
from swiggle.evaluation.retrieval import features_of, recall

SPRITES = load_sprites()
READER = TraitReader(SPRITES)
TRAITS = draw_traits(SPRITES, 8, seed=5)
IMAGES = SPRITES.render(TRAITS)


def unchanged(picture: np.ndarray, prompt: str) -> np.ndarray:
    return picture


def black(picture: np.ndarray, prompt: str) -> np.ndarray:
    return np.zeros_like(picture)


def obedient(picture: np.ndarray, prompt: str) -> np.ndarray:
    """The picture with every trait that the prompt names."""
    traits = READER.read(picture[None])
    for part in prompt.split(" and "):
        for column, slot in enumerate(SLOTS):
            for value, name in enumerate(SPRITES.names[slot]):
                if part == PROMPTS[slot].format(name=name):
                    traits[0, column] = value
    return SPRITES.render(traits)[0]


def test_two_slots() -> None:
    right = two_slots(READER, IMAGES, TRAITS, obedient, lambda x: x, seed=0)
    assert right["rest"] >= 0.8  # a print can hide the shirt that was asked for
    assert right["both"] >= 0.7
    nothing = two_slots(READER, IMAGES, TRAITS, unchanged, lambda x: x, seed=0)
    assert nothing["both"] == nothing["success"] == 0.0
    assert nothing["rest"] == 1.0


def test_removal() -> None:
    assert removal(READER, "glasses", IMAGES, TRAITS, unchanged, lambda x: x) == {"gone": 0, "rest": 1, "outside": 1}
    frame = removal(READER, "glasses", IMAGES, TRAITS, black, lambda x: x)
    assert frame["outside"] == 0.0
    assert frame["rest"] < 0.5


def test_left_alone() -> None:
    assert set(left_alone(READER, IMAGES, TRAITS, unchanged, lambda x: x).values()) == {1.0}
    assert set(left_alone(READER, IMAGES, TRAITS, black, lambda x: x).values()) == {0.0}


@pytest.mark.parametrize("slot", SLOTS)
def test_margins_tell_what_is_there(slot: str) -> None:
    column = SLOTS.index(slot)
    other = (TRAITS[:, column] + 1) % SPRITES.count(slot)
    assert (READER.margins(IMAGES, TRAITS, slot, TRAITS[:, column]) >= 0).all()
    assert (READER.margins(IMAGES, TRAITS, slot, other) <= 0).all()


def test_features_of_traits_and_their_recall(rng: np.random.Generator) -> None:
    traits = draw_traits(SPRITES, 400, seed=1)
    heads = traits[:, SLOTS.index("head")]
    one, other = (int(value) for value in np.unique(heads)[:2])
    fires = np.stack([heads == one, heads == other, rng.random(400) < 0.5], axis=1)
    code = sparse.csr_matrix(fires.astype(np.float32))
    of = features_of(code, traits, SPRITES)
    assert of["head"][:, one].tolist() == [True, False, False]
    assert of["head"][:, other].tolist() == [False, True, False]
    names = SPRITES.names["head"]
    found = recall(lambda prompt: [2, 0] if names[one] in prompt else [2], of, SPRITES)
    assert 0 < found["plain"] < 1
    assert 0 < found["covered"] < 0.1
    words, places = [names[one], "no such", names[other]], ["head", "head", "glasses"]
    assert named_traits(SPRITES, words, places) == {0: ("head", one)}
