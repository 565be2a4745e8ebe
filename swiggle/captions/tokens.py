"""Words of any script: how a text is written alike, and where its words begin and end.

Words are runs of letters, marks and digits, as Unicode has them. Where a script sets no spaces, only a dictionary could
say where words end: every Chinese character and every syllable of Hiragana is a word, and so is every cluster of Thai,
Lao, Khmer and Burmese; runs of them are found as phrases, as words are elsewhere. Every emoji is a word, with its skin
tone, its flag or what it is joined to.
"""

import re
import unicodedata

import regex

_ALIKE = str.maketrans(
    {
        "’": "'", "‘": "'", "ʼ": "'",
        "，": ",", "、": ",", "،": ",", "；": ";", "؛": ";", "：": ":",
        "。": ".", "｡": ".", "।": ".", "॥": ".", "！": "!", "？": "?", "؟": "?",
        # Seen by nobody: soft hyphen, word joiner, byte order mark, and whether an emoji is drawn in colour.
        "\u00ad": None, "\u2060": None, "\ufeff": None, "\ufe0e": None, "\ufe0f": None,
    }
)  # fmt: skip
_ONE_EMOJI = r"[\p{Extended_Pictographic}--[©®™]]\p{Emoji_Modifier}?"
_APART = r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTERS = rf"(?:[\p{{L}}\p{{N}}--[\p{{Han}}\p{{Hiragana}}{_APART}]][\p{{M}}\u200c\u200d]*)+"
_TOKEN = regex.compile(
    rf"""
      {_ONE_EMOJI}(?:\u200d{_ONE_EMOJI})*[\U000e0020-\U000e007f]*  # joined, or the flag of a region
    | \p{{Regional_Indicator}}{{2}}  # the flag of a country
    | [0-9#*]\u20e3  # a key
    | [\p{{Han}}\p{{Hiragana}}]\p{{M}}*
    | (?=[{_APART}])[\p{{L}}\p{{N}}]\p{{M}}*
    | {_LETTERS}(?:[+']{_LETTERS})*
    | [,;:.!?]
    """,
    regex.VERBOSE | regex.VERSION1,
)


_ASCII = re.compile(r"[a-z0-9]+(?:[+'][a-z0-9]+)*|[,;:.!?]")


def composed(text: str) -> str:
    """The text with letters and their accents as one character each (Unicode's NFC)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def alike(text: str) -> str:
    """The text as it is compared: composed, case folded, with one kind of apostrophe and of each punctuation mark, and
    without characters that nobody sees."""
    if text.isascii():
        return text.lower()
    return composed(composed(text).translate(_ALIKE).casefold())


def tokenise(text: str) -> list[str]:
    """The words and punctuation marks of a text, written alike; hyphens and underscores part words."""
    if text.isascii():  # the same by a plain pattern, four times as fast
        return _ASCII.findall(text.lower())
    return _TOKEN.findall(alike(text))
