import unicodedata
from pathlib import Path

import pytest

from swiggle.captions.vocabulary import Mention, Vocabulary, tokenise
from swiggle.nouns.caption_templates import TEMPLATES

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
    assert tokenise("Nouns™ © 2021") == ["nouns", "2021"]


def test_round_trip_and_missing_file() -> None:
    assert Vocabulary.from_dict(NOUNS.to_dict()) == NOUNS
    with pytest.raises(ValueError, match="no-such-words"):
        Vocabulary.load("no-such-words")


def test_what_a_picture_shows_has_a_name() -> None:
    assert NOUNS.subject == "character"
    assert Vocabulary().subject == Vocabulary.from_dict({}).subject == "picture"
    assert Vocabulary.from_dict({"subject": " Emoji "}).subject == "Emoji"
    for wrong in ("", 3, "x" * 41):
        with pytest.raises(ValueError, match="subject"):
            Vocabulary.from_dict({"subject": wrong})


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Chapeau bleu clair, à carreaux", ["chapeau", "bleu", "clair", ",", "à", "carreaux"]),
        ("L’été dernier", ["l'été", "dernier"]),
        ("GROẞE Straße", ["grosse", "strasse"]),
        ("İstanbul", ["i̇stanbul"]),
        ("Tiếng Việt", ["tiếng", "việt"]),
        ("लाल टोपी और चश्मा।", ["लाल", "टोपी", "और", "चश्मा", "."]),
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("நீலத் தொப்பி", ["நீலத்", "தொப்பி"]),
        ("הַכּוֹבַע", ["הַכּוֹבַע"]),
        ("قُبَّعة حمراء، نظارة؟", ["قُبَّعة", "حمراء", ",", "نظارة", "?"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("红色帽子，蓝色。", ["红", "色", "帽", "子", ",", "蓝", "色", "."]),
        ("赤いロボットの頭！", ["赤", "い", "ロボット", "の", "頭", "!"]),
        ("빨간 모자", ["빨간", "모자"]),
        ("หมวกสีแดง", ["ห", "ม", "ว", "ก", "สี", "แ", "ด", "ง"]),
        ("🦈 head", ["🦈", "head"]),
        ("shark🦈🎩", ["shark", "🦈", "🎩"]),
        ("👩‍🚀👍🏽 ok", ["👩‍🚀", "👍🏽", "ok"]),
        ("🇫🇷🇩🇪 🏴󠁧󠁢󠁷󠁬󠁳󠁿", ["🇫🇷", "🇩🇪", "🏴󠁧󠁢󠁷󠁬󠁳󠁿"]),
        ("1️⃣ ❤️ ❤ ☀", ["1⃣", "❤", "❤", "☀"]),
        ("so\u00adft ha\u2060t", ["soft", "hat"]),
    ],
)
def test_words_of_all_scripts(text: str, tokens: list[str]) -> None:
    wanted = [unicodedata.normalize("NFC", token) for token in tokens]
    for form in ("NFC", "NFD"):
        assert tokenise(unicodedata.normalize(form, text)) == wanted


def test_a_vocabulary_in_another_script() -> None:
    tree = {
        "places": {"tête": ["tête", "chapeau"], "头": ["头", "帽子"], "🎩": ["🎩"]},
        "filler": ["À", "的", "一个"],
        "nothing": ["无"],
    }
    composed, decomposed = (
        Vocabulary.from_dict(
            {
                "places": {form(place): [form(word) for word in words] for place, words in tree["places"].items()},
                "filler": [form(word) for word in tree["filler"]],
                "nothing": [form(word) for word in tree["nothing"]],
            }
        )
        for form in (lambda t: unicodedata.normalize("NFC", t), lambda t: unicodedata.normalize("NFD", t))
    )
    assert composed == decomposed
    assert composed.mentions("un requin à tête bleue")[-1] == Mention("tête", ("bleue",))
    assert composed.mentions("一个红色的帽子") == [Mention("头", ("红", "色"))]
    assert composed.mentions("🦈 🎩") == [Mention("🎩", ("🦈",))]


def test_vocabularies_that_cannot_be_used(tmp_path: Path) -> None:
    from swiggle.errors import SwiggleError

    for name, text in (("a", "places: {head: ['—']}"), ("b", "places: [head]"), ("c", "- head"), ("d", "filler: 3")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        with pytest.raises(SwiggleError, match=path.name):
            Vocabulary.load(str(path))
