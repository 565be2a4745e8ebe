"""Captions, prompts, labels and searches in other languages, decomposed or not, from the captions to what is found."""

import unicodedata
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.caption_labels import label_features
from swiggle.atlas.detectors import CaptionedActivations
from swiggle.atlas.entries import Entry, entry_for
from swiggle.atlas.index import LabelIndex, open_chroma
from swiggle.captions.vocabulary import Vocabulary
from swiggle.prompts.clauses import Clause, read_clauses
from swiggle.prompts.retrieval import retrieve

LANGUAGES: dict[str, dict[str, Any]] = {
    "french": {
        "places": {"tête": ["tête"], "fond": ["arrière-plan"]},
        "filler": ["un", "une", "à", "de", "et", "avec"],
        "things": ["requin", "pêche", "péché", "évêque"],
        "caption": "un pixel avec une tête de {0}, {1} arrière-plan",
        "others": ["gris", "noir"],
    },
    "hindi": {
        "places": {"सिर": ["सिर"], "पृष्ठभूमि": ["पृष्ठभूमि"]},
        "filler": ["का", "और"],
        "things": ["शार्क", "शेर", "केला", "किला"],
        "caption": "{0} का सिर, {1} पृष्ठभूमि",
        "others": ["लाल", "नीली"],
    },
    "chinese": {
        "places": {"头": ["头"], "背景": ["背景"]},
        "filler": ["的", "和", "一个"],
        "things": ["鲨鱼", "狮子", "蜜蜂", "蜂蜜"],
        "caption": "一个{0}的头，{1}背景",
        "others": ["红色", "蓝色"],
    },
    "emoji": {
        "places": {"head": ["head"], "background": ["background"]},
        "filler": ["a", "with", "and"],
        "things": ["🦈", "👩‍🚀", "👍🏽", "🇫🇷"],
        "caption": "a {0} head with {1} background",
        "others": ["☀️", "1️⃣"],
    },
}
FORMS = ("NFC", "NFD")


def world(language: dict[str, Any], form: Any, count: int, seed: int) -> CaptionedActivations:
    """A feature for each thing, which fires where the caption says it."""
    rng = np.random.default_rng(seed)
    thing, other = rng.integers(len(language["things"]), size=count), rng.integers(2, size=count)
    captions = [
        unicodedata.normalize(form, language["caption"].format(language["things"][t], language["others"][o]))
        for t, o in zip(thing, other, strict=True)
    ]
    fires = (thing[:, None] == np.arange(len(language["things"]))).astype(np.float32)
    return CaptionedActivations(sparse.csr_matrix(fires), captions)


@pytest.mark.parametrize("stored", FORMS)
@pytest.mark.parametrize("name", LANGUAGES)
def test_what_captions_say_is_labelled_and_found(name: str, stored: str) -> None:
    language = LANGUAGES[name]
    vocabulary = Vocabulary.from_dict({"places": language["places"], "filler": language["filler"]})
    splits = [world(language, stored, count, seed) for seed, count in enumerate((600, 300, 300))]
    count = len(language["things"])
    labels = label_features(splits, np.ones(count), np.zeros((count, 32, 32)), [None] * count, vocabulary, 0.5)
    place = next(iter(language["places"]))
    entries = [Entry(i, label.text, label.term, label.place) for i, label in enumerate(labels)]
    assert [label.place for label in labels] == [place] * count
    index = LabelIndex(open_chroma(None), entries)
    for feature, thing in enumerate(language["things"]):
        for asked in FORMS:
            words = unicodedata.normalize(asked, f"{thing} {place}")
            (clause,) = read_clauses(words, vocabulary)
            found = retrieve(index, vocabulary, clause)
            assert [match.feature for match in found.matched] == [feature], (words, found)


@pytest.mark.parametrize("labelled", FORMS)
@pytest.mark.parametrize("asked", FORMS)
def test_labels_by_hand_are_found(labelled: Any, asked: Any) -> None:
    vocabulary = Vocabulary.load("nouns")
    said = ["pêche", "péché", "लाल टोपी", "红色帽子", "帽子", "🦈", "🦈🎩", "👍🏽", "👍🏿", "หมวก", "straße", "shark"]
    entries = [entry_for(i, unicodedata.normalize(labelled, f"{text} head"), vocabulary) for i, text in enumerate(said)]
    assert all(entry.label == unicodedata.normalize("NFC", entry.label) for entry in entries)
    index = LabelIndex(open_chroma(None), entries)
    for feature, text in enumerate(said):
        words = vocabulary.mentions(unicodedata.normalize(asked, text.upper()))[0].words
        found = retrieve(index, vocabulary, Clause(text, "replace", words, "head"))
        assert [match.feature for match in found.matched] == [feature], text
