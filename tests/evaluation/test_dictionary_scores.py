"""Scores of codes that are known: one feature a trait value, and worse."""

import numpy as np
import pytest
from scipy import sparse

from swiggle.composition import Composition, composition_of
from swiggle.evaluation.additive import fit_additive
from swiggle.evaluation.baselines import baseline_codes
from swiggle.evaluation.coverage import THRESHOLDS, coverage, one_hot
from swiggle.evaluation.group_edits import group_moves, value_means
from swiggle.evaluation.monosemanticity import monosemanticity
from swiggle.evaluation.probing import sparse_probing
from swiggle.evaluation.slot_reconstruction import slot_reconstruction
from swiggle.evaluation.uniqueness import uniqueness

Split = tuple[sparse.csr_matrix, np.ndarray]


@pytest.fixture(scope="module")
def nouns() -> Composition:
    return composition_of("nouns")


def ideal(traits: np.ndarray, nouns: Composition, rng: np.random.Generator) -> sparse.csr_matrix:
    """A feature a value, which fires at 1 to 2 when the picture has it."""
    codes = sparse.hstack([one_hot(traits[:, i], len(nouns.names(slot))) for i, slot in enumerate(nouns.slots)]).tocsr()
    codes.data *= rng.uniform(1, 2, len(codes.data))
    return codes


@pytest.fixture(scope="module")
def splits(nouns: Composition) -> tuple[Split, Split]:
    rng = np.random.default_rng(0)
    result = []
    for count in (8_000, 4_000):
        traits = np.stack([rng.integers(len(nouns.names(slot)), size=count) for slot in nouns.slots], axis=1)
        result.append((ideal(traits, nouns, rng), traits))
    return result[0], result[1]


def test_an_ideal_dictionary_scores_one(splits: tuple[Split, Split], nouns: Composition) -> None:
    (train, train_traits), (test, test_traits) = splits
    everything = (train, train_traits, test, test_traits, nouns)
    for slot, score in coverage(*everything).items():
        assert (score["coverage"], score["covered"]) == (1.0, 1.0)
        # A print is on 0.7% of pictures and a head on 0.4%: a few of the first are over the hundredth by chance.
        assert np.isnan(score["frequent"]) if slot == "head" else score["frequent"] == 1.0
    read = slot_reconstruction(*everything)
    assert read["all"]["correct"] == 1.0
    assert read["head"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "open": 0.0}
    assert np.nanmin(monosemanticity(test, test_traits, nouns)) == pytest.approx(1.0)
    assert uniqueness(test, test_traits, nouns) == 1.0
    assert min(sparse_probing(*everything, k=1).values()) > 0.99


def test_a_shuffled_dictionary_scores_chance(splits: tuple[Split, Split], nouns: Composition) -> None:
    (train, train_traits), (test, test_traits) = splits
    rng = np.random.default_rng(1)
    train, test = train[rng.permutation(train.shape[0])], test[rng.permutation(test.shape[0])]
    everything = (train, train_traits, test, test_traits, nouns)
    covered = coverage(*everything)
    assert covered["background"]["coverage"] == pytest.approx(0.5, abs=0.03)
    assert covered["head"]["coverage"] < 0.05
    assert slot_reconstruction(*everything)["all"]["correct"] == 0.0
    assert np.nanmean(monosemanticity(test, test_traits, nouns)) < 0.1
    assert sparse_probing(*everything, k=2)["head"] < 0.05


def test_coverage_by_hand(nouns: Composition) -> None:
    """Of 30 shirts, a feature fires on shirt 0, weakly also on shirt 1: the best threshold parts them."""
    traits = np.zeros((600, 5), dtype=int)
    traits[:, 1] = np.arange(600) % 30
    activations = np.zeros((600, 2))
    activations[traits[:, 1] == 0, 0] = 1.0
    activations[traits[:, 1] == 1, 0] = 0.25
    activations[traits[:, 1] < 3, 1] = 1.0
    code = sparse.csr_matrix(activations)
    scores = coverage(code, traits, code, traits, nouns)
    # Shirt 0 is found exactly, 1 with a precision of 1/2 (F1 2/3), 2 of 1/3 (F1 1/2), the rest never.
    assert scores["body"]["coverage"] == pytest.approx((1.0 + 2 / 3 + 1 / 2) / 30)
    assert scores["body"]["covered"] == pytest.approx(1 / 30)
    assert len(THRESHOLDS) == 10


def test_two_features_for_a_value_are_not_unique(splits: tuple[Split, Split], nouns: Composition) -> None:
    test, traits = splits[1]
    assert uniqueness(sparse.hstack([test, test]).tocsr(), traits, nouns) == 0.5


def test_baselines_have_the_wanted_l0_and_the_supervised_is_best(nouns: Composition) -> None:
    rng = np.random.default_rng(0)
    traits = np.stack([rng.integers(len(nouns.names(slot)), size=6_000) for slot in nouns.slots], axis=1)
    directions = rng.normal(size=(sum(len(nouns.names(slot)) for slot in nouns.slots), 256)) / 16
    truth = sparse.hstack([one_hot(traits[:, i], len(nouns.names(slot))) for i, slot in enumerate(nouns.slots)])
    latents = np.asarray(truth @ directions, dtype=np.float32)
    additive = fit_additive(latents[:4_000], traits[:4_000], nouns)
    codes = baseline_codes(latents[:4_000], latents[4_000:], additive, features=600, l0=8.0)
    scores = {}
    for name, (train, test) in codes.items():
        assert test.nnz / test.shape[0] == pytest.approx(8.0, rel=0.25), name
        scores[name] = coverage(train, traits[:4_000], test, traits[4_000:], nouns)["body"]["coverage"]
    assert scores.keys() == {"axes", "pca", "random", "supervised"}
    assert scores["supervised"] > 2 * max(scores["axes"], scores["pca"], scores["random"])


@pytest.mark.filterwarnings("error")
def test_values_that_no_training_picture_has_make_baselines_of_nothing(
    nouns: Composition, rng: np.random.Generator
) -> None:
    traits = nouns.draw(120, 1)  # of 234 heads most are missing
    latents = rng.normal(size=(120, 64)).astype(np.float32)
    additive = fit_additive(latents[:100], traits[:100], nouns)
    for code in baseline_codes(latents[:100], latents[100:], additive, features=100, l0=8.0)["supervised"]:
        assert np.isfinite(code.data).all()
        assert code.nnz


def test_groups_move_by_the_difference_of_their_means(splits: tuple[Split, Split], nouns: Composition) -> None:
    train, traits = splits[0]
    means = value_means(train, traits, "glasses", nouns)
    start = sum(len(nouns.names(slot)) for slot in nouns.slots[:4])
    rows = np.eye(train.shape[1])
    worn, asked = np.array([3]), np.array([7])
    move = group_moves(means, rows, worn, asked)[0]
    assert move[start + 7] == pytest.approx(1.5, abs=0.05)
    assert move[start + 3] == pytest.approx(-1.5, abs=0.05)
    assert np.count_nonzero(move) <= 16
