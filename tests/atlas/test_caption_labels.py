import numpy as np
from scipy import sparse

from swiggle.atlas.caption_labels import label_features
from swiggle.atlas.detectors import CaptionedActivations
from swiggle.atlas.label import UNEXPLAINED
from swiggle.captions.vocabulary import Mention, Vocabulary

NOUNS = Vocabulary.load("nouns")
HEADS = ["shark", "pizza", "index card", "robot"]
PRINTS = ["robot", "wet money"]


def world(count: int, seed: int) -> CaptionedActivations:
    """Features: shark head (all), pizza head (a third of them), robot print, index card head, noise."""
    rng = np.random.default_rng(seed)
    head, print_ = rng.integers(4, size=count), rng.integers(2, size=count)
    captions = [f"a {HEADS[h]} head with {PRINTS[p]} on the shirt" for h, p in zip(head, print_, strict=True)]
    activations = np.stack(
        [head == 0, (head == 1) & (rng.random(count) < 0.33), print_ == 0, head == 2, rng.random(count) < 0.1], axis=1
    )
    values = activations * rng.uniform(0.5, 1.0, size=(count, 5)).astype(np.float32)
    return CaptionedActivations(sparse.csr_matrix(values), captions)


def test_labels_from_captions() -> None:
    splits = [world(count, seed) for seed, count in enumerate((4_000, 1_000, 1_000))]
    highest = splits[0].values.max(axis=0).toarray().ravel()
    labels = label_features(splits, highest, np.zeros((5, 32, 32)), [None] * 5, NOUNS, min_confidence=0.5)
    assert [label.text for label in labels] == [
        "shark head", "pizza head", "robot accessory", "index card head", UNEXPLAINED,
    ]  # fmt: skip
    assert labels[0].confidence > 0.99
    assert labels[1].precision > 0.99
    assert 0.2 < labels[1].recall < 0.45
    assert labels[2].place == "accessory"
    assert labels[2].rule == ((Mention("accessory", ("robot",)),),)
    assert [label.source for label in labels] == ["caption"] * 4 + [UNEXPLAINED]
    assert 0.99 < labels[0].f1 <= 1.0
    assert labels[4].confidence < 0.5


def test_without_captions_everything_is_unexplained() -> None:
    silent = CaptionedActivations(world(100, 0).values, [None] * 100)
    labels = label_features([silent] * 3, np.ones(5), np.zeros((5, 32, 32)), ["head"] * 5, NOUNS, 0.3)
    assert {label.text for label in labels} == {UNEXPLAINED}


def test_equal_labels_are_told_apart_by_captions_or_by_place() -> None:
    """Two features fire on most shark heads, one less on one print; two others are the same but for where they act."""
    splits = []
    for seed, count in enumerate((4_000, 1_000, 1_000)):
        rng = np.random.default_rng(seed)
        head, print_ = rng.integers(4, size=count), rng.integers(2, size=count)
        captions = [f"a {HEADS[h]} head with {PRINTS[p]} on the shirt" for h, p in zip(head, print_, strict=True)]
        shark, pizza = (head == 0)[:, None], (head == 1)[:, None]
        often = np.where(print_ == 0, 0.95, 0.75)
        chance = np.stack([often, 1.7 - often], axis=1)
        fires = np.concatenate([shark & (rng.random((count, 2)) < chance), pizza & np.ones((count, 2), bool)], axis=1)
        splits.append(CaptionedActivations(sparse.csr_matrix(fires.astype(np.float32)), captions))
    footprints = np.zeros((4, 32, 32))
    footprints[:3, 4, 4], footprints[3, 20, 28] = 1.0, 1.0
    labels = label_features(splits, np.ones(4), footprints, [None] * 4, NOUNS, min_confidence=0.5)
    assert [label.text for label in labels] == [
        "shark head, more with robot accessory", "shark head, more with wet money accessory",
        "pizza head, upper left", "pizza head, lower right",
    ]  # fmt: skip
    assert [label.term for label in labels] == ["shark", "shark", "pizza", "pizza"]


def test_a_label_begins_with_the_place_that_its_feature_acts_on() -> None:
    """Three features fire on the robot print with a shark head; one acts on the print, one on the head, one on glasses
    that no caption speaks of. A fourth fires on all robot prints, and acts on the head."""
    splits = []
    for seed, count in enumerate((4_000, 1_000, 1_000)):
        rng = np.random.default_rng(seed)
        head, print_ = rng.integers(4, size=count), rng.integers(2, size=count)
        captions = [f"a {HEADS[h]} head with {PRINTS[p]} on the shirt" for h, p in zip(head, print_, strict=True)]
        both = (head == 0) & (print_ == 0)
        fires = np.stack([both, both, both, print_ == 0], axis=1)
        splits.append(CaptionedActivations(sparse.csr_matrix(fires.astype(np.float32)), captions))
    places = ["accessory", "head", "glasses", "head"]
    labels = label_features(splits, np.ones(4), np.zeros((4, 32, 32)), places, NOUNS, min_confidence=0.5)
    assert [label.text for label in labels] == [
        "robot accessory with shark head", "shark head with robot accessory", UNEXPLAINED, UNEXPLAINED,
    ]  # fmt: skip
    assert [label.rule[0][0].place for label in labels[:2]] == ["accessory", "head"]
    # What they are found by does not depend on where they act.
    assert labels[0].term == labels[1].term
    assert labels[0].found_by == labels[1].found_by != ()
    assert labels[2].found_by == ()


def test_confidence_is_what_is_to_be_expected_of_captions_not_seen() -> None:
    """Features that know training pictures by heart: there each seems to tell a word."""
    rng, counts, features = np.random.default_rng(0), (2_000, 250, 2_000), 300
    words = [[f"w{i}" for i in rng.integers(60, size=count)] for count in counts]
    learnt = rng.integers(60, size=features)
    splits = []
    for split, said in enumerate(words):
        held = np.array([[word == f"w{i}" for i in learnt] for word in said])
        fires = held & (rng.random(held.shape) < (0.9 if split == 0 else 0.3)) | (rng.random(held.shape) < 0.005)
        splits.append(CaptionedActivations(sparse.csr_matrix(fires.astype(np.float32)), said))
    labels = label_features(
        splits, np.ones(features), np.zeros((features, 32, 32)), [None] * features, Vocabulary(), 0.3
    )
    named = [label for label in labels if label.text != UNEXPLAINED]
    assert len(named) > 100
    confidence, f1 = (np.array([getattr(label, name) for label in named]) for name in ("confidence", "f1"))
    assert abs(confidence.mean() - f1.mean()) < 0.05
    assert np.abs(confidence - f1).mean() < 0.1
