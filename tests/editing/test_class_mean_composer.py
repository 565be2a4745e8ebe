"""Edits by phrase, where captions speak of no places."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.captioned_latents import captioned_latents
from swiggle.captions.vocabulary import Vocabulary
from swiggle.editing.class_mean_composer import ClassMeanComposer, composer_for
from swiggle.editing.composer import Picture, PromptPlan
from swiggle.prompts.clauses import read_clauses
from swiggle.prompts.retrieval import Found
from swiggle.prompts.understanding import Request

THINGS = ("red heart", "blue heart", "grinning face", "green tree")
WORDS = ("red", "blue", "green", "heart", "face", "tree")
VOCABULARY = Vocabulary(filler=frozenset({"a", "of"}))


class Features(SimpleNamespace):
    """As much of an atlas as is asked for."""

    def __len__(self) -> int:
        return len(self.places)


@pytest.fixture
def composer(rng: np.random.Generator) -> ClassMeanComposer:
    """A latent has an entry for each word, and a feature writes each; no feature has a label."""
    captions: list[str | None] = [f"a picture of a {THINGS[i % 4]}" for i in range(400)]
    latents = np.array([[word in str(caption).split() for word in WORDS] for caption in captions], np.float32)
    latents += rng.normal(0, 0.05, latents.shape).astype(np.float32)
    codes = sparse.csr_matrix(np.maximum(latents, 0))
    captioned = captioned_latents(latents, captions, codes, np.ones(6), [], VOCABULARY)
    atlas = Features(
        captioned=captioned, vocabulary=VOCABULARY, places=[None] * 6, words=[""] * 6, labels=["unexplained"] * 6,
        confidence=np.zeros(6), density=np.ones(6), mean_activation=np.ones(6), footprint=np.ones((6, 32, 32)),
        direction=np.eye(6, dtype=np.float32),
    )  # fmt: skip
    made = composer_for(cast(Atlas, atlas), np.eye(6, dtype=np.float32))
    assert isinstance(made, ClassMeanComposer)
    return made


def edited(composer: ClassMeanComposer, thing: str, prompt: str) -> tuple[np.ndarray, PromptPlan]:
    """The latent of a picture of a thing after a prompt, rounded, and the plan."""
    latent = np.array([word in thing.split() for word in WORDS], np.float32)
    requests = [Request(clause, Found()) for clause in read_clauses(prompt, VOCABULARY)]
    plan = composer.compose(requests, Picture(latent.copy(), latent))
    for operation in plan.plan.operations:
        latent[operation.feature] = operation.strength
    return latent.round(), plan


def word_vector(thing: str) -> list[float]:
    return [float(word in thing.split()) for word in WORDS]


def test_a_phrase_takes_the_place_of_what_captions_never_say_beside_it(composer: ClassMeanComposer) -> None:
    latent, plan = edited(composer, "grinning face", "make it a red heart")
    assert latent.tolist() == word_vector("red heart")
    assert plan.reasons[0].note == "by what 100 captions say of 'red heart'"


def test_a_part_of_a_phrase_is_known_too(composer: ClassMeanComposer) -> None:
    latent, _ = edited(composer, "green tree", "make it a zorblax face")
    assert latent.tolist() == word_vector("grinning face")


def test_what_is_there_already_and_what_nobody_says_change_nothing(composer: ClassMeanComposer) -> None:
    for thing, prompt in (("red heart", "make it a red heart"), ("red heart", "make it a zorblax")):
        assert edited(composer, thing, prompt)[1].plan.operations == []


def test_words_that_only_captions_hold_are_known(composer: ClassMeanComposer) -> None:
    """No feature has a label here, so nothing but captions tells that a picture may be changed."""
    for prompt, known in (("make it a red heart", True), ("less blue", True), ("make it a zorblax", False)):
        assert [composer.knows(clause, []) for clause in read_clauses(prompt, VOCABULARY)] == [known]


def test_removal_needs_the_thing_to_be_there(composer: ClassMeanComposer) -> None:
    latent, _ = edited(composer, "grinning face", "remove the face")
    assert latent[WORDS.index("face")] < 1
    assert edited(composer, "green tree", "remove the face")[1].plan.operations == []


def test_more_and_less(composer: ClassMeanComposer) -> None:
    more, _ = edited(composer, "green tree", "much more blue")
    assert more[WORDS.index("blue")] == 1
    assert edited(composer, "green tree", "less blue")[1].plan.operations == []
