import json

import numpy as np
import pytest

from swiggle.composition import composition_of
from swiggle.evaluation.atlas_measures import (
    label_measures,
    leading_places,
    slot_agreement,
    slot_named,
    subject_measures,
)
from swiggle.evaluation.causal_slots import Readings, causal_slots, read_ablations, topmost
from swiggle.evaluation.map_separation import map_separation

NOUNS = composition_of("nouns")
HEAD, GLASSES = NOUNS.slots.index("head"), NOUNS.slots.index("glasses")


def readings(changed: dict[int, list[list[int]]], moved: list[list[float]] | None = None) -> Readings:
    """changed: for each feature, for each picture the columns that read otherwise."""
    feature = [i for i, pictures in changed.items() for _ in pictures]
    before = np.zeros((len(feature), 5), int)
    after = before.copy()
    for row, columns in enumerate(columns for pictures in changed.values() for columns in pictures):
        after[row, columns] = 1
    share = np.zeros((len(feature), 5)) if moved is None else np.array(moved)
    return Readings(np.array(feature), before, after, share)


def test_the_slot_that_most_pictures_change_and_where_the_change_lies_between_equals() -> None:
    found = readings({0: [[3], [3], [4]], 2: [[], []]}, [[0] * 5] * 3 + [[0, 0.2, 0.8, 0, 0]] * 2)
    assert causal_slots(found, 4).tolist() == [HEAD, -1, NOUNS.slots.index("accessory"), -1]


def test_readings_of_true_edits(rng: np.random.Generator) -> None:
    traits = np.array([[0, 3, 10, 20, 5], [1, 7, 90, 200, 12], [0, 20, 44, 111, 2]])
    other = traits.copy()
    other[:, HEAD] += 1
    found = read_ablations(NOUNS, np.array([4, 4, 4]), NOUNS.render(traits), NOUNS.render(other))
    assert causal_slots(found, 5)[4] == HEAD
    assert subject_measures(found, [4], NOUNS) == {"features": 1.0, "removed": 1.0, "kept": 1.0}
    top = topmost(NOUNS, traits)
    assert set(np.unique(top)) <= set(range(5))
    assert (top[NOUNS.covers("glasses", traits)] == GLASSES).all()


def test_labels_and_agreement_by_hand() -> None:
    labels = ["a head", "a head", "b body", "unexplained", "unexplained"]
    live = np.array([1, 1, 1, 1, 0], bool)
    found = label_measures(labels, np.array([1.0, 0.8, 0.3, 0.0, 0.0]), live, np.array([1.0, 0.9, 0.8, 0.2, 0.0]))
    wanted = {"labelled": 0.75, "most_common": 0.5, "mean_f1": 0.7, "sound": 2 / 3, "off": 0.2}
    assert found == pytest.approx(wanted)
    slots = np.array([HEAD, GLASSES, 1, HEAD, -1])
    agreement = slot_agreement(["head", "head", "body", None, None], slots, NOUNS.slots)
    assert agreement["agreement"] == pytest.approx(2 / 3)
    assert agreement["head"] == 0.5
    assert agreement["explained_head"] == 0.5
    rules = [json.dumps([[{"place": place, "words": ["x"]}] for place in places]) for places in
             (["head"], ["head", "glasses"], ["accessory"], [], [])]  # fmt: skip
    assert slot_named(rules, slots, NOUNS.slots) == pytest.approx(2 / 3)
    assert leading_places(rules) == ["head", "head", "accessory", None, None]


def test_separation_of_a_map(rng: np.random.Generator) -> None:
    slots = np.repeat([0, 3], [30, 90])
    apart = map_separation(rng.normal(size=(120, 2)) * 0.1 + slots[:, None], slots, NOUNS.slots)
    assert apart["purity"] == 1.0
    assert apart["silhouette"] > 0.8
    mixed = map_separation(rng.normal(size=(120, 2)), slots, NOUNS.slots)
    assert mixed["purity"] == pytest.approx(mixed["chance"], abs=0.1)
    assert mixed["chance"] == pytest.approx((29 / 119 + 89 / 119) / 2)
