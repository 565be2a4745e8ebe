"""Every exact measure on a composed set of three slots that it was not written for."""

import numpy as np
import pytest
from scipy import sparse

from swiggle.composition import Composition
from swiggle.evaluation.additive import fit_additive
from swiggle.evaluation.atlas_measures import map_measures, slot_agreement, subject_measures
from swiggle.evaluation.causal_slots import causal_slots, read_ablations, topmost
from swiggle.evaluation.coverage import one_hot
from swiggle.evaluation.dials import dial_curves, monotone_share, named_traits
from swiggle.evaluation.dictionary_scores import Code, code_scores
from swiggle.evaluation.edit_requests import left_alone, removal, two_slots
from swiggle.evaluation.group_edits import group_moves, value_means
from swiggle.evaluation.retrieval_scores import changes_read, features_of, recall
from swiggle.evaluation.trait_edits import draw_pairs, score
from tests.toy_composition import Toy

TOY: Composition = Toy()
TRAITS = TOY.draw(480, seed=0)
IMAGES = TOY.render(TRAITS)
SENTENCES = TOY.requests.development
GROUND, SHAPE, HAT = range(3)


def ideal(traits: np.ndarray) -> sparse.csr_matrix:
    """Activations of a dictionary with a feature for each value of each slot."""
    return sparse.hstack([one_hot(traits[:, i], len(TOY.names(slot))) for i, slot in enumerate(TOY.slots)]).tocsr()


def same(pictures: np.ndarray) -> np.ndarray:
    return pictures


def obedient(pictures: np.ndarray, prompts: list[str]) -> np.ndarray:
    """Does what toy sentences ask for."""
    traits = TOY.read(pictures)
    for row, prompt in enumerate(prompts):
        for column, slot in enumerate(TOY.slots):
            for value, name in enumerate(TOY.names(slot)):
                if prompt.startswith("remove"):
                    if f"{name} {slot}" in prompt:
                        traits[row, column] = TOY.nothing(slot)
                elif f"{name} {slot}" in prompt:
                    traits[row, column] = value
    return TOY.render(traits)


def test_it_is_read_as_it_looks() -> None:
    assert TOY.same_look(TOY.read(IMAGES), TRAITS).all()
    hidden = TRAITS.copy()
    hidden[:, HAT] = TOY.names("hat").index("veil")
    bars = hidden[:, SHAPE] == TOY.names("shape").index("bar")
    other = hidden.copy()
    other[:, SHAPE] = TOY.names("shape").index("none")
    assert TOY.same_look(hidden, other).tolist() == (bars | (hidden[:, SHAPE] == 0)).tolist()


@pytest.mark.parametrize("slot", TOY.slots)
def test_edits_of_a_perfect_and_of_an_idle_editor(slot: str) -> None:
    pairs = draw_pairs(TOY, slot, IMAGES, TRAITS, 60, seed=1)
    best = score(pairs, lambda pictures, prompts: TOY.render(pairs.true()), same, SENTENCES)
    assert (best["success"], best["exact"], best["ceiling_exact"], best["leakage"]) == (1.0, 1.0, 1.0, 0.0)
    idle = score(pairs, lambda pictures, prompts: pictures, same, SENTENCES)
    assert idle["preservation"] == 1.0
    # A hat hides what may have been asked for, so some requests are met before they are made.
    assert idle["exact"] == pytest.approx(float(TOY.same_look(pairs.true(), pairs.traits).mean()))


def test_other_requests() -> None:
    plain = TRAITS[:, HAT] != TOY.names("hat").index("veil")
    images, traits = IMAGES[plain], TRAITS[plain]
    assert two_slots(TOY, images, traits, lambda p, t: p, same, 0, SENTENCES)["success"] < 0.1
    assert left_alone(TOY, images, traits, lambda p, t: p, same, SENTENCES) == {
        "unknown": 1.0, "already_ground": 1.0, "already_shape": 1.0, "already_hat": 1.0,
    }  # fmt: skip
    worn = traits[:, HAT] != TOY.nothing("hat")
    gone = removal(TOY, "hat", images[worn], traits[worn], obedient, same)
    assert (gone["gone"], gone["rest"], gone["outside"]) == (1.0, 1.0, 1.0)
    # Pictures where there is nothing to remove are not asked about.
    assert removal(TOY, "hat", images, traits, obedient, same) == gone


def test_an_ideal_dictionary_scores_one_and_chance_does_not() -> None:
    found = code_scores(Code(ideal(TRAITS), ideal(TRAITS)), TRAITS, TRAITS, TOY)
    assert found["mean_frequent_coverage"] == pytest.approx(1.0)
    assert found["mean_coverage"] == found["uniqueness"] == pytest.approx(1.0)
    assert found["monosemanticity"] == pytest.approx(1.0)
    assert found["slot_reconstruction"]["all"]["correct"] == 1.0
    assert all(score == pytest.approx(1.0) for score in found["probing"]["1"].values())
    rng = np.random.default_rng(0)
    shuffled = code_scores(Code(ideal(rng.permutation(TRAITS)), ideal(rng.permutation(TRAITS))), TRAITS, TRAITS, TOY)
    assert shuffled["mean_coverage"] < 0.65


def test_additive_latents_and_groups_of_features() -> None:
    latents = ideal(TRAITS).toarray() + 3.0
    model = fit_additive(latents, TRAITS, TOY)
    assert model.r2(latents, TRAITS) == pytest.approx(1.0)
    asked = (TRAITS[:, SHAPE] + 1) % 3
    wanted = TRAITS.copy()
    wanted[:, SHAPE] = asked
    np.testing.assert_allclose(model.moved("shape", latents, TRAITS, asked), ideal(wanted).toarray() + 3.0, atol=1e-5)
    means = value_means(ideal(TRAITS), TRAITS, "shape", TOY)
    move = group_moves(means, np.eye(9), TRAITS[:, SHAPE], asked)
    np.testing.assert_allclose(move, ideal(wanted).toarray() - ideal(TRAITS).toarray(), atol=1e-6)


def test_which_slot_a_feature_changes() -> None:
    seen = TRAITS[(TRAITS[:, SHAPE] == 1) & (TRAITS[:, HAT] == 1)][:4]
    without = seen.copy()
    without[:, SHAPE] = TOY.nothing("shape")
    readings = read_ablations(TOY, np.full(4, 2), TOY.render(seen), TOY.render(without))
    assert causal_slots(readings, 4).tolist() == [-1, -1, SHAPE, -1]
    assert subject_measures(readings, [2], TOY) == {"features": 1.0, "removed": 1.0, "kept": 1.0}
    assert (topmost(TOY, seen)[:, 1] == HAT).any()
    slots = np.array([GROUND, SHAPE, SHAPE])
    assert slot_agreement(["ground", "shape", "hat"], slots, TOY.slots)["agreement"] == pytest.approx(2 / 3)
    apart = map_measures(np.eye(3)[:, :2], ["ground", "shape", "hat"], slots, TOY.slots)
    assert apart["groups_right"] == pytest.approx(2 / 3)


def test_dials_and_retrieval() -> None:
    named = named_traits(TOY, ["disc", "cap", "sand"], ["shape", "hat", "ground"])
    assert named == {0: ("shape", 1), 1: ("hat", 1), 2: ("ground", 1)}
    start = TOY.render(np.array([[0, 0, 0]]))[0].reshape(-1).astype(np.float32)
    disc = TOY.render(np.array([[0, 1, 0]]))[0].reshape(-1).astype(np.float32)

    def decode(latents: np.ndarray) -> np.ndarray:
        return np.clip(latents, 0, 255).round().astype(np.uint8).reshape(-1, 12, 12, 3)

    step = 0.5 * (disc - start)
    curves = dial_curves(
        TOY, decode, start[None], np.zeros((1, 1), np.float32), step[None], np.ones(1, np.float32), {0: ("shape", 1)}
    )
    assert monotone_share(list(curves.values())) == 1.0
    of = features_of(ideal(TRAITS), TRAITS, TOY)
    numbers = {name: 5 + value for value, name in enumerate(TOY.names("hat"))}

    def search(prompt: str) -> list[int]:
        return [next((number for name, number in numbers.items() if f" {name} hat" in prompt), 0)]

    found = recall(search, of, TOY)
    assert found["covered"] == 1.0
    # Of seven values that show something three hats are found, and the ground of feature 0.
    assert found["plain"] == pytest.approx((3 + 1) / 7)
    assert changes_read(lambda prompt: ["lower"], TOY) == 0.5
