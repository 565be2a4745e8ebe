"""Places from captions."""

from itertools import product

import numpy as np
import pytest

from swiggle.captions.caption_runs import FUNCTION_WORDS
from swiggle.captions.proposal import ENOUGH, propose
from swiggle.captions.vocabulary import Mention, Vocabulary
from swiggle.nouns.composed_nouns import composition

PETS, COLOURS = ("dog", "cat", "horse"), ("red", "big", "old", "brown", "young")


@pytest.fixture(scope="module")
def nouns() -> tuple[list[str], np.ndarray]:
    """4,000 captions, and the pictures at 8 x 8."""
    made = composition()
    traits = made.draw(4_000, 0)
    pictures = made.render(traits).reshape(-1, 8, 4, 8, 4, 3).mean(axis=(2, 4))
    return made.captions(traits, 0), pictures


def test_nouns_have_five_places_by_all_names_that_captions_use(nouns: tuple[list[str], np.ndarray]) -> None:
    found = propose(*nouns)
    assert [set(words) for words in found.places.values()] == [
        {"background", "backdrop"},
        {"glasses", "specs", "noggles"},
        {"head"},
        {"body", "shirt", "torso"},
        {"print", "accessory", "on the shirt", "printed with"},
    ]
    assert found.default_place == "head"
    assert found.nothing == {"none"}
    assert {"a", "with", "someone", "character", "pixel", "wearing"} <= found.filler
    assert not {"square", "cool", "red", "blue", "tie"} & found.filler
    said = found.mentions("a noun with a shark head wearing square red glasses, in front of a cool background")
    assert said == [
        Mention("head", ("shark",)), Mention("glasses", ("square", "red")), Mention("background", ("cool",)),
    ]  # fmt: skip


def test_the_file_is_read_back(nouns: tuple[list[str], np.ndarray]) -> None:
    found = propose(*nouns)
    assert Vocabulary.parse(found.to_yaml(), "proposed") == found
    assert found.to_yaml().count("# ") == 4
    assert "default_place: head\n" in found.to_yaml()


def test_few_captions_have_no_places(nouns: tuple[list[str], np.ndarray]) -> None:
    assert propose(nouns[0][: ENOUGH - 1]).places == {}
    assert propose([]) == propose([None] * 500) == Vocabulary(filler=FUNCTION_WORDS)


def test_names_of_things_that_look_different_are_no_names_of_one_place(rng: np.random.Generator) -> None:
    """A red dog and a red cat are as alike in words as a red shirt and a red torso."""
    pairs = [(PETS[rng.integers(3)], COLOURS[rng.integers(5)]) for _ in range(2_000)]
    captions = [f"a {colour} {pet}" for pet, colour in pairs]
    looks = np.array([[pet == other for other in PETS] for pet, _ in pairs]) + 0.1 * rng.normal(size=(2_000, 3))
    assert [sorted(words) for words in propose(captions).places.values()] == [sorted(PETS)]
    assert propose(captions, looks).places == {}
    assert propose(captions, rng.normal(size=(2_000, 3))).places != {}


def test_lists_of_keys_and_values() -> None:
    values = list(product(("long", "short", "curly"), ("blue", "green"), ("pink", "teal", "navy")))
    captions = [f"hair: {hair}, eyes: {eyes}, ground: {ground}" for hair, eyes, ground in values * 40]
    found = propose(captions)
    assert found.places == {"eyes": ["eyes"], "ground": ["ground"], "hair": ["hair"]}
    assert Mention("eyes", ("blue",)) in found.mentions(captions[0])


def test_a_word_for_nothing() -> None:
    values = list(product(("round", "dark", "no"), ("long", "short")))
    found = propose([f"an avatar with {glasses} glasses and {hair} hair" for glasses, hair in values * 100])
    assert found.nothing == {"no"}
    assert set(found.places) == {"glasses", "hair"}
    assert "avatar" in found.filler


@pytest.mark.parametrize("kind", ["classes", "names", "sentences", "of half of them"])
def test_free_captions_have_none(kind: str, rng: np.random.Generator) -> None:
    things = [f"thing{i}" for i in range(300)]
    share = 1 / np.arange(1, 301)

    def words(count: int) -> list[str]:
        return list(rng.choice(things, size=count, p=share / share.sum()))

    captions = {
        "classes": lambda: words(1)[0],
        "names": lambda: f"{' '.join(words(3))} face, {words(1)[0]}" if rng.random() < 0.1 else " ".join(words(3)),
        "sentences": lambda: f"a {words(1)[0]} of the {' '.join(words(8))} on a {' '.join(words(5))}",
        "of half of them": lambda: f"{words(1)[0]}, {rng.choice(['dark tone', 'light tone', 'here', 'there'])}",
    }[kind]
    found = propose([captions() for _ in range(3_000)])
    assert found.places == {}
    assert found.default_place is None
    assert not {"thing5", "face", "tone"} & found.filler
