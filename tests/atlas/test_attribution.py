import numpy as np

from swiggle.atlas.attribution import REGISTERED, UNATTRIBUTED, acting_places, medians_of, shares
from swiggle.captions.vocabulary import Vocabulary
from swiggle.composition import composition_of
from swiggle.evaluation.causal_slots import topmost

NOUNS = Vocabulary.load("nouns")
PLACES = list(NOUNS.places)


def test_pixels_of_shirt_and_print_on_it_are_told_apart() -> None:
    """A shirt is the lower half, of one of three colours; a print two of its pixels; the upper half differs always."""
    rng = np.random.default_rng(0)
    count = 300
    shirt, printed = rng.integers(3, size=count), rng.integers(4, size=count)
    images = rng.integers(256, size=(count, 8, 8, 3), dtype=np.uint8)
    images[:, 4:] = np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200]], np.uint8)[shirt][:, None, None]
    for row, which in enumerate(printed):
        images[row, 5, 2 * which : 2 * which + 2] = 255
    captions = [
        f"{['red', 'green', 'blue'][s]} shirt with {['bar', 'beam', 'rod', 'pole'][p]} print"
        for s, p in zip(shirt, printed, strict=True)
    ]
    owner = medians_of(images, captions, NOUNS).attribute(images[:40], captions[:40], NOUNS)
    body, accessory = PLACES.index("body"), PLACES.index("accessory")
    for row in range(40):
        expected = np.full((4, 8), body)
        expected[1, 2 * printed[row] : 2 * printed[row] + 2] = accessory
        np.testing.assert_array_equal(owner[row, 4:], expected)
    silent = medians_of(images, captions, NOUNS).attribute(images[:2], [None, "something else"], NOUNS)
    assert (silent == UNATTRIBUTED).all()


def test_nouns_are_divided_as_they_were_painted() -> None:
    """What captions tell of 6,000 characters against the layers, which nothing of it saw."""
    nouns = composition_of("nouns")
    traits = nouns.draw(6_000, seed=0)
    images, captions = nouns.render(traits), nouns.captions(traits, seed=0)
    owner = medians_of(images, captions, NOUNS).attribute(images[:200], captions[:200], NOUNS)
    painted = np.array([PLACES.index(slot) for slot in nouns.slots])[topmost(nouns, traits[:200])]
    for place in PLACES:
        mine = painted == PLACES.index(place)
        assert (owner[mine] == painted[mine]).mean() > 0.8, place
    assert (owner == painted).mean() > 0.9


def test_things_said_too_seldom_own_nothing() -> None:
    images = np.zeros((9, 4, 4, 3), np.uint8)
    captions = ["red shirt"] * 7 + ["blue shirt"] * 2
    medians = medians_of(images, captions, NOUNS)
    assert [mention.words for mention in medians.number] == [("red",)]
    assert (medians.attribute(images, captions, NOUNS)[7:] == UNATTRIBUTED).all()
    without = medians_of(images, [None] * 9, NOUNS)
    assert (without.attribute(images, [None] * 9, NOUNS) == UNATTRIBUTED).all()


def test_shares_of_a_change() -> None:
    owner = np.array([[[0, 0], [1, UNATTRIBUTED]]], np.int8)
    np.testing.assert_allclose(shares(np.array([[[1.0, 2.0], [1.0, 9.0]]]), owner, 3), [0.75, 0.25, 0])
    assert shares(np.zeros((0, 2, 2)), owner[:0], 3).tolist() == [0, 0, 0]
    assert acting_places(np.array([[0.2, 0.8], [0, 0]]), ["head", "body"]) == ["body", None]
    assert acting_places(np.zeros((2, 0)), []) == [None, None]


def test_whether_pictures_are_registered_is_measured() -> None:
    nouns = composition_of("nouns")
    traits = nouns.draw(2_200, seed=0)
    images, captions = nouns.render(traits), nouns.captions(traits, seed=0)
    rng = np.random.default_rng(0)
    moved = np.stack([np.roll(image, rng.integers(-8, 9, size=2), axis=(0, 1)) for image in images])

    def registration(pictures: np.ndarray, said: list[str]) -> float:
        medians = medians_of(pictures[:2_000], said[:2_000], NOUNS)
        return medians.registration(pictures[2_000:], said[2_000:], NOUNS)

    assert registration(images, captions) > 2 * REGISTERED
    assert registration(moved, captions) < REGISTERED / 2
    assert registration(images, list(rng.permutation(captions))) < REGISTERED / 2
    assert medians_of(images, captions, Vocabulary()).registration(images[:10], captions[:10], Vocabulary()) == 0.0
