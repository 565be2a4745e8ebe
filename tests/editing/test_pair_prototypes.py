import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.captioned_latents import CaptionedLatents
from swiggle.captions.vocabulary import Mention
from swiggle.editing.pair_prototypes import PairPrototypes, pair_prototypes

RED, BLUE, STRIPES, DOTS, NONE, SHARK, LAMP = range(7)
TERMS = [
    Mention("body", ("red",)), Mention("body", ("blue",)), Mention("print", ("stripes",)), Mention("print", ("dots",)),
    Mention("print", ("none",)), Mention("head", ("shark",)), Mention("head", ("lamp",)),
]  # fmt: skip
VECTORS = np.random.default_rng(1).normal(size=(7, 12)).astype(np.float32)
BELOW = np.random.default_rng(2).normal(size=12).astype(np.float32)
"""What red prototypes like below stripes, beyond the sum of the two."""


def latent(head: int, body: int, pattern: int) -> np.ndarray:
    return VECTORS[[head, body, pattern]].sum(axis=0) + BELOW * ((body, pattern) == (RED, STRIPES))


@pytest.fixture(scope="module")
def prototypes() -> PairPrototypes:
    rng = np.random.default_rng(0)
    drawn = np.stack([rng.choice([SHARK, LAMP], 400), rng.choice([RED, BLUE], 400), rng.integers(2, 5, 400)], axis=1)
    drawn = drawn[(drawn[:, 1:] != [BLUE, NONE]).any(axis=1)]  # a blue shirt always has a print
    latents = np.stack([latent(*row) for row in drawn]) + 0.01 * rng.normal(size=(len(drawn), 12))
    said = np.zeros((len(drawn), 7), bool)
    np.put_along_axis(said, drawn, True, axis=1)
    captioned = CaptionedLatents(
        TERMS,
        latents.astype(np.float16),
        sparse.csc_matrix(said),
        np.zeros((1, 7)),
        np.zeros((13, 7)),
        np.ones(7, bool),
    )
    found = pair_prototypes(captioned, "body", "print")
    assert found is not None
    return found


@pytest.mark.parametrize("body", [RED, BLUE])
@pytest.mark.parametrize("pattern", [STRIPES, DOTS])
def test_both_places_are_read_at_once(prototypes: PairPrototypes, body: int, pattern: int) -> None:
    shown = {"head": LAMP, "body": RED, "print": NONE}
    assert prototypes.read(latent(LAMP, body, pattern), shown) == {"body": body, "print": pattern}


def test_a_shirt_moves_as_it_looks_below_the_print(prototypes: PairPrototypes) -> None:
    for pattern in (STRIPES, DOTS):
        move = prototypes.move("body", RED, BLUE, pattern)
        np.testing.assert_allclose(move, latent(LAMP, RED, pattern) - latent(LAMP, BLUE, pattern), atol=0.05)
    move = prototypes.move("print", NONE, STRIPES, RED)
    np.testing.assert_allclose(move, latent(LAMP, RED, NONE) - latent(LAMP, RED, STRIPES), atol=0.05)


def test_pairs_that_were_never_seen_have_no_prototype(prototypes: PairPrototypes) -> None:
    assert prototypes.move("print", NONE, STRIPES, BLUE) is None
    assert (prototypes.beside("body"), prototypes.beside("print")) == ("print", "body")
