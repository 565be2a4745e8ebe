"""What true traits say of an atlas: whether labels speak of the slot that features change, whether the map keeps slots
apart, whether taking out a feature of the subject takes out the subject. Evaluation only."""

import json
from collections.abc import Sequence

import numpy as np

from swiggle.atlas.label import UNEXPLAINED
from swiggle.composition import Composition
from swiggle.evaluation.causal_slots import Readings, removed_and_kept
from swiggle.evaluation.map_separation import map_separation


def label_measures(labels: Sequence[str], f1: np.ndarray, live: np.ndarray, confidence: np.ndarray) -> dict[str, float]:
    """Of live features, bool [n]: `labelled` share; `most_common`, the share that has the commonest label; of the
    labels `mean_f1` on test captions, `sound`, the share with an F1 of 0.5 or more, and `off`, the mean absolute
    difference of confidence and F1. It needs no trait."""
    named = [i for i in np.flatnonzero(live).tolist() if labels[i] != UNEXPLAINED]
    counts = np.unique([labels[i] for i in named], return_counts=True)[1]
    total = max(1, int(live.sum()))
    return {
        "labelled": len(named) / total,
        "most_common": float(counts.max() / total) if len(counts) else 0.0,
        "mean_f1": float(f1[named].mean()) if named else 0.0,
        "sound": float((f1[named] >= 0.5).mean()) if named else 0.0,
        "off": float(np.abs(confidence[named] - f1[named]).mean()) if named else 0.0,
    }


def leading_places(rules: Sequence[str]) -> list[str | None]:
    """The place that each label begins with, from the JSON of the cards' rules; None for none."""
    return [groups[0][0]["place"] if groups else None for groups in map(json.loads, rules)]


def slot_agreement(places: Sequence[str | None], slots: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """`agreement`: of the features whose label begins with a place, the share that change this slot; the same by place;
    and `explained_<slot>`, of the features that change a slot, the share with a label. slots: numbers of `names`,
    -1 for unknown."""
    named = [i for i, place in enumerate(places) if place in names and slots[i] >= 0]
    right = np.array([names[slots[i]] == places[i] for i in named])
    said = np.array([places[i] for i in named])
    found = {"agreement": float(right.mean()) if named else 0.0}
    found |= {slot: float(right[said == slot].mean()) for slot in names if (said == slot).any()}
    for column, slot in enumerate(names):
        changing = np.flatnonzero(slots == column).tolist()
        if changing:
            found[f"explained_{slot}"] = float(np.mean([places[i] is not None for i in changing]))
    return found


def slot_named(rules: Sequence[str], slots: np.ndarray, names: Sequence[str]) -> float:
    """Of the labelled features, the share whose rule (the JSON of their card) names the slot they change among its
    places. A rule may name two, as in "a print with shirts of these colours"."""
    named = [
        any(term["place"] == names[slots[i]] for group in groups for term in group)
        for i, groups in enumerate(map(json.loads, rules))
        if groups and slots[i] >= 0
    ]
    return float(np.mean(named)) if named else 0.0


def map_measures(
    positions: np.ndarray, groups: Sequence[str], slots: np.ndarray, names: tuple[str, ...]
) -> dict[str, float]:
    """`map_separation` of the features whose slot is known, and `groups_right`, the share of them whose group bears
    the slot's name."""
    known = np.flatnonzero(slots >= 0).tolist()
    named = np.array([groups[i] == names[slots[i]] for i in known])
    return {**map_separation(positions[known], slots[known], names), "groups_right": float(named.mean())}


def subject_measures(readings: Readings, features: Sequence[int], composition: Composition) -> dict[str, float]:
    """Mean over features, of their pictures: `removed`, the share in which the subject reads otherwise without the
    feature, and `kept`, the share in which all that is painted with it reads the same: all slots but the first, which
    lies behind them."""
    slot = composition.slots.index(composition.subject)
    others = [column for column in range(1, len(composition.slots)) if column != slot]
    pairs = [removed_and_kept(readings, feature, slot, others) for feature in features]
    removed, kept = np.array(pairs).T if pairs else (np.zeros(1), np.zeros(1))
    return {"features": float(len(pairs)), "removed": float(removed.mean()), "kept": float(kept.mean())}
