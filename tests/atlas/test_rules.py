import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.rules import Captions, Rule, detection
from swiggle.captions.vocabulary import Mention

HEADS, SHIRTS, GLASSES = range(4), range(4, 10), range(10, 13)
TERMS = [Mention("head", (f"h{i}",)) for i in HEADS] + [Mention("body", (f"b{i}",)) for i in SHIRTS]
TERMS += [Mention("glasses", (f"g{i}",)) for i in GLASSES]


@pytest.fixture
def world(rng: np.random.Generator) -> tuple[Captions, np.ndarray]:
    """3,000 captions that each say one head, one shirt and one pair of glasses."""
    drawn = np.stack([rng.choice(np.array(kind), size=3000) for kind in (HEADS, SHIRTS, GLASSES)], axis=1)
    rows = np.repeat(np.arange(3000), 3)
    said = sparse.csr_matrix((np.ones(9000, np.float32), (rows, drawn.ravel())), shape=(3000, len(TERMS)))
    return Captions(TERMS, np.ones(len(TERMS), bool), said), drawn


def test_one_thing_stays_one_term(world: tuple[Captions, np.ndarray]) -> None:
    captions, drawn = world
    assert captions.grow(2, drawn[:, 0] == 2, 0.5) == Rule(((2,),))


def test_a_family_gets_its_members(world: tuple[Captions, np.ndarray]) -> None:
    captions, drawn = world
    rule = captions.grow(1, np.isin(drawn[:, 0], [1, 3]), 0.5)
    assert sorted(rule.groups[0]) == [1, 3]
    assert len(rule.groups) == 1


def test_a_part_of_a_thing_gets_the_condition_on_the_other_place(world: tuple[Captions, np.ndarray]) -> None:
    captions, drawn = world
    fired = (drawn[:, 0] == 1) & np.isin(drawn[:, 1], [5, 8])
    rule = captions.grow(1, fired, 0.5)
    assert rule.groups[0] == (1,)
    assert sorted(rule.groups[1]) == [5, 8]
    assert detection(fired, rule.holds(captions.by_term), 0.5).f1 == 1.0


def test_of_two_conditions_as_good_as_each_other_it_is_always_the_same(rng: np.random.Generator) -> None:
    """Whatever the order in which a set of places is gone through, which differs from process to process."""
    head, shirt = rng.choice(np.array(HEADS), size=3000), rng.choice(np.array([4, 5, 6]), size=3000)
    drawn = np.stack([head, shirt, shirt + 6], axis=1)  # glasses go with the shirt
    rows = np.repeat(np.arange(3000), 3)
    said = sparse.csr_matrix((np.ones(9000, np.float32), (rows, drawn.ravel())), shape=(3000, len(TERMS)))
    rule = Captions(TERMS, np.ones(len(TERMS), bool), said).grow(1, (head == 1) & (shirt == 5), 0.5)
    assert rule == Rule(((1,), (11,)))


def test_no_condition_is_read_into_chance(world: tuple[Captions, np.ndarray], rng: np.random.Generator) -> None:
    captions, drawn = world
    assert captions.grow(1, (drawn[:, 0] == 1) & (rng.random(3000) < 0.3), 0.5) == Rule(((1,),))


def test_scores_by_hand() -> None:
    fired, truth = np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 1], bool)
    found = detection(fired, truth, 0.5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(1 / 2)
    assert found.f1 == pytest.approx(4 / 7)
    assert found.f == pytest.approx(1.25 * (2 / 3) * 0.5 / (0.25 * (2 / 3) + 0.5))


def test_steps_lead_to_the_rule() -> None:
    assert Rule(((1, 2), (5, 6))).steps() == [Rule(((1,),)), Rule(((1, 2),)), Rule(((1, 2), (5, 6)))]
