import numpy as np

from swiggle.captions.terms import (
    LONGEST,
    classes_of,
    frequent_terms,
    incidence,
    least_held,
    mentioned_by,
)
from swiggle.captions.vocabulary import Mention, Vocabulary

NOUNS = Vocabulary.load("nouns")


def test_terms_are_every_run_of_words_with_its_place() -> None:
    assert frequent_terms(mentioned_by(["a wet money print", None], NOUNS), 1) == [
        Mention("accessory", ("money",)), Mention("accessory", ("wet",)), Mention("accessory", ("wet", "money")),
    ]  # fmt: skip


def test_what_few_captions_hold_is_no_term_and_the_most_frequent_are_kept() -> None:
    captions = ["red heart", "red heart", "red car", "blue heart"]
    mentioned = mentioned_by(captions, Vocabulary())
    assert frequent_terms(mentioned, 2) == [
        Mention(None, ("heart",)), Mention(None, ("red",)), Mention(None, ("red", "heart")),
    ]  # fmt: skip
    assert frequent_terms(mentioned, 1, most=2) == [Mention(None, ("heart",)), Mention(None, ("red",))]
    assert [least_held(count) for count in (10, 1_000, 100_000)] == [2, 10, 20]


def test_a_long_sentence_has_few_terms() -> None:
    sentence = " ".join(f"w{i}" for i in range(30))
    terms = frequent_terms(mentioned_by([sentence] * 3, Vocabulary()), 2)
    assert len(terms) == 30 + 29 + 28 + 27 + 1
    assert max(len(term.words) for term in terms if len(term.words) < 30) == LONGEST


def test_each_caption_counts_once() -> None:
    assert frequent_terms(mentioned_by(["red, red, red"], Vocabulary()), 2) == []


def test_incidence_of_runs_and_of_what_is_said_as_it_stands() -> None:
    captions = ["a square blue specs", "blue specs", None]
    mentioned = mentioned_by(captions, NOUNS)
    blue, square_blue = Mention("glasses", ("blue",)), Mention("glasses", ("square", "blue"))
    terms = [blue, square_blue]
    assert np.array_equal(incidence(mentioned, terms).toarray(), [[1, 1], [1, 0], [0, 0]])
    assert np.array_equal(incidence(mentioned, terms, {blue}).toarray(), [[0, 1], [1, 0], [0, 0]])


def test_classes_are_whole_where_there_are_places_and_all_terms_elsewhere() -> None:
    captions = ["square blue specs"] * 2 + ["red heart"] * 2
    assert classes_of(mentioned_by(captions, NOUNS), 2) == [
        Mention(None, ("heart",)), Mention(None, ("red",)), Mention(None, ("red", "heart")),
        Mention("glasses", ("square", "blue")),
    ]  # fmt: skip
    assert classes_of(mentioned_by(captions, NOUNS), 3) == []
