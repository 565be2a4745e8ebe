"""Places that a prompt calls by words which no caption uses."""

from types import SimpleNamespace
from typing import cast

import pytest

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.entries import Entry
from swiggle.atlas.index import LabelIndex, open_chroma
from swiggle.captions.caption_runs import FUNCTION_WORDS
from swiggle.captions.vocabulary import Mention, Vocabulary
from swiggle.prompts.understanding import PromptReader

VOCABULARY = Vocabulary(
    {"background": ["background"], "body": ["shirt"], "head": ["head"], "glasses": ["glasses", "specs"]},
    "head",
    FUNCTION_WORDS,
)
LABELS = [("cool", "background"), ("red", "body"), ("shark", "head"), ("red", "glasses"), ("cat", "head")]


@pytest.fixture(scope="module")
def reader() -> PromptReader:
    entries = [Entry(i, f"{words} {place}", words, place) for i, (words, place) in enumerate(LABELS)]
    terms = [Mention(place, (words,)) for words, place in LABELS]
    captioned = SimpleNamespace(terms=terms)
    atlas = SimpleNamespace(vocabulary=VOCABULARY, captioned=captioned, label_texts=[])
    return PromptReader(cast(Atlas, atlas), LabelIndex(open_chroma(None), entries))


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("red goggles please", "glasses"),
        ("I'd rather have red Eyeglasses", "glasses"),
        ("paint the wallpaper cool", "background"),
        ("trade the hat for a shark", "head"),
    ],
)
def test_another_name_of_a_place(reader: PromptReader, prompt: str, place: str) -> None:
    requests = reader.understand(prompt)
    assert [request.place for request in requests] == [place]
    assert requests[0].found.matched


def test_a_word_that_may_be_either_of_two_places_is_neither(reader: PromptReader) -> None:
    """ "Face" is as like a body as a head; the thing in its place is asked for where it belongs."""
    atlas = SimpleNamespace(
        vocabulary=Vocabulary({"body": ["body"], "head": ["head"]}, "head", FUNCTION_WORDS),
        captioned=reader.atlas.captioned,
        label_texts=[],
    )
    (request,) = PromptReader(cast(Atlas, atlas), reader.index).understand("trade the face for a shark")
    assert request.place == "head"
    assert request.found.matched


@pytest.mark.parametrize("prompt", ["make it a kitten", "make it a zorblax", "crimson specs"])
def test_a_thing_stays_a_thing(reader: PromptReader, prompt: str) -> None:
    """Another word for a label, or one that nobody knows, is no place."""
    (request,) = reader.understand(prompt)
    assert request.clause.words == (next(word for word in ("kitten", "zorblax", "crimson") if word in prompt),)


def test_without_places_every_word_stays_as_it_is(reader: PromptReader) -> None:
    atlas = SimpleNamespace(vocabulary=Vocabulary(), captioned=reader.atlas.captioned, label_texts=[])
    (request,) = PromptReader(cast(Atlas, atlas), reader.index).understand("red goggles")
    assert request.clause.words == ("red", "goggles")
