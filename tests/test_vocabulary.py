import pytest

from swiggle.data.captions import TEMPLATES
from swiggle.vocabulary import Mention, Vocabulary, tokenise

NOUNS = Vocabulary.load("nouns")


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_gives_each_name_its_place(template: str) -> None:
    names = {
        "glasses": "hip rose",
        "head": "index card",
        "body": "slimegreen",
        "accessory": "wet money",
        "background": "cool",
    }
    expected = {Mention(place, tuple(name.split())) for place, name in names.items()}
    assert expected <= set(NOUNS.mentions(template.format(**names)))


def test_the_hubs_caption_style() -> None:
    caption = (
        "a pixel art character with square red glasses, a shark-shaped head and a bluesky-colored body on a warm "
        "background"
    )
    assert set(NOUNS.mentions(caption)) == {
        Mention("glasses", ("square", "red")),
        Mention("head", ("shark",)),
        Mention("body", ("bluesky",)),
        Mention("background", ("warm",)),
    }


def test_without_places_words_stand_alone() -> None:
    assert Vocabulary().mentions("red hat, blue") == [Mention(None, ("red", "hat")), Mention(None, ("blue",))]


def test_longer_expressions_win() -> None:
    assert NOUNS.named_places("a robot on the shirt and a blue shirt") == ["accessory", "body"]


def test_tokens() -> None:
    assert tokenise("A2+B2, deep-fried!") == ["a2+b2", ",", "deep", "fried", "!"]


def test_round_trip_and_missing_file() -> None:
    assert Vocabulary.from_dict(NOUNS.to_dict()) == NOUNS
    with pytest.raises(ValueError, match="no-such-words"):
        Vocabulary.load("no-such-words")
