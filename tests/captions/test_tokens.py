import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from swiggle.captions.tokens import _TOKEN, alike, composed, tokenise
from swiggle.nouns.caption_templates import TEMPLATES
from swiggle.nouns.phrases import REQUESTS

ENGLISH = re.compile(r"[^\W_]+(?:[+'][^\W_]+)*|[,;:.!?]")
"""Words of English as they were cut before other scripts were."""


@given(st.text(st.characters(max_codepoint=127)))
def test_the_plain_pattern_cuts_ascii_as_unicodes_rules_do(text: str) -> None:
    assert tokenise(text) == _TOKEN.findall(text.lower())


def test_plain_english_is_cut_as_before() -> None:
    sentences = [*TEMPLATES, *(sentence for listed in REQUESTS.development.values() for sentence in listed)]
    for sentence in [*sentences, "it's A+B, deep-fried; no_print: 3d!", "don't; 2x4.5?"]:
        assert tokenise(sentence) == ENGLISH.findall(sentence.lower())


@given(st.text())
def test_how_letters_are_composed_does_not_matter(text: str) -> None:
    once = alike(text)
    assert alike(once) == once
    decomposed = unicodedata.normalize("NFD", text)
    assert composed(decomposed) == composed(text)
    assert tokenise(decomposed) == tokenise(text)


def test_what_nobody_sees_parts_no_word() -> None:
    for text in ("water\u00admelon", "water\u2060melon", "\ufeffwatermelon"):
        assert tokenise(text) == ["watermelon"]
