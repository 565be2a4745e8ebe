import numpy as np
import pytest

from swiggle.captions.vocabulary import Vocabulary
from swiggle.composition import composition_of

AVATARS = composition_of("dicebear")
VOCABULARY = Vocabulary.load("dicebear")


def test_avatars_are_distinct_as_pictures_and_repeatable() -> None:
    traits = AVATARS.draw(3_000, seed=1)
    assert len({picture.tobytes() for picture in AVATARS.render(traits)}) == 3_000
    np.testing.assert_array_equal(traits, AVATARS.draw(3_000, seed=1))
    assert (traits != AVATARS.draw(3_000, seed=2)).any()


def test_every_value_turns_up_as_often_as_it_should() -> None:
    traits = AVATARS.draw(20_000, seed=0)
    for column, slot in enumerate(AVATARS.slots):
        counts = np.bincount(traits[:, column], minlength=len(AVATARS.names(slot)))
        expected = len(traits) * AVATARS.parts.share[slot]
        assert (np.abs(counts - expected) < 6 * np.sqrt(expected)).all()


def test_what_shows_nothing_covers_nothing_and_can_be_removed() -> None:
    assert AVATARS.removable == ("earrings", "glasses", "beard", "hat")
    traits = AVATARS.draw(50, seed=2)
    for slot in AVATARS.slots:
        nothing = AVATARS.nothing(slot)
        assert (nothing is not None) == (slot in AVATARS.removable)
        covered = AVATARS.covers(slot, traits).any(axis=(1, 2))
        np.testing.assert_array_equal(
            covered, traits[:, AVATARS.slots.index(slot)] != (-1 if nothing is None else nothing)
        )
    assert AVATARS.covers("background", traits).all()


def test_what_a_slot_covers_is_what_it_changes() -> None:
    traits = AVATARS.draw(60, seed=3)
    without = traits.copy()
    without[:, AVATARS.slots.index("hat")] = AVATARS.nothing("hat")
    changed = (AVATARS.render(traits) != AVATARS.render(without)).any(axis=3)
    assert not (changed & ~AVATARS.covers("hat", traits)).any()
    assert AVATARS.same_look(traits, traits).all()


@pytest.mark.parametrize("kind", ["development", "held_out", "paraphrases"])
def test_requests_are_read_of_the_place_they_mean(kind: str) -> None:
    for slot, sentences in getattr(AVATARS.requests, kind).items():
        for sentence in sentences:
            for name in AVATARS.names(slot):
                said = VOCABULARY.mentions(sentence.format(name=name))
                words = {word for mention in said if mention.place == slot for word in mention.words}
                assert set(name.split()) <= words, sentence.format(name=name)


def test_sentences_that_are_scored_were_not_developed_with() -> None:
    said = AVATARS.requests
    for slot in AVATARS.slots:
        assert not set(said.held_out[slot]) & (set(said.development[slot]) | set(said.paraphrases[slot]))
        assert set(said.synonyms.get(slot, {})) <= set(AVATARS.names(slot))
