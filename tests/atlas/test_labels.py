import numpy as np
from scipy import sparse

from swiggle.atlas.labels import UNEXPLAINED, label_features, terms_of
from swiggle.vocabulary import Mention, Vocabulary

NOUNS = Vocabulary.load("nouns")
HEADS = ["shark", "pizza", "index card", "robot"]
PRINTS = ["robot", "wet money"]


def world(count: int, seed: int) -> tuple[sparse.csr_matrix, list[str]]:
    """Features: shark head (all), pizza head (a third of them), robot print, index card head, noise."""
    rng = np.random.default_rng(seed)
    head, print_ = rng.integers(4, size=count), rng.integers(2, size=count)
    captions = [f"a {HEADS[h]} head with {PRINTS[p]} on the shirt" for h, p in zip(head, print_, strict=True)]
    activations = np.stack(
        [head == 0, (head == 1) & (rng.random(count) < 0.33), print_ == 0, head == 2, rng.random(count) < 0.1], axis=1
    )
    return sparse.csr_matrix(activations * rng.uniform(0.5, 1.0, size=(count, 5)).astype(np.float32)), captions


def test_labels_from_captions() -> None:
    train, validation = world(4_000, 0), world(1_000, 1)
    labels = label_features(train, validation, train[0].max(axis=0).toarray().ravel(), NOUNS, min_confidence=0.5)
    assert [label.text for label in labels] == [
        "shark head", "pizza head", "robot accessory", "index card head", UNEXPLAINED,
    ]  # fmt: skip
    assert labels[0].confidence > 0.99
    assert labels[1].precision > 0.99
    assert 0.2 < labels[1].recall < 0.45
    assert labels[2].place == "accessory"
    assert labels[4].confidence < 0.5


def test_without_captions_everything_is_unexplained() -> None:
    train, _ = world(100, 0)
    labels = label_features((train, [None] * 100), (train, [None] * 100), np.ones(5), NOUNS, 0.3)
    assert {label.text for label in labels} == {UNEXPLAINED}


def test_terms_are_every_run_of_words_with_its_place() -> None:
    assert terms_of("a wet money print", NOUNS) == {
        Mention("accessory", ("wet",)), Mention("accessory", ("money",)), Mention("accessory", ("wet", "money")),
    }  # fmt: skip
    assert terms_of(None, NOUNS) == set()
