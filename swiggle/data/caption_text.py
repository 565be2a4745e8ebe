"""What is said of a picture, as text: a sentence, several of them, or tags.

However many captions a picture has, all of them count: they are stored as one text, in their order, one after the other
(`one_caption`), so that whoever reads the words of that text for labels, places or edits reads all that was said.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

TEXT_BYTES = 1 << 20
"""A file of text beside a picture is read so far: 1 MiB, hundreds of pages."""
_TAG_WORDS = 2
"""A list is one of tags where most of its texts have at most so many words, and there are three or more."""
_SAID_IN = (
    "caption", "captions", "text", "texts", "txt", "description", "descriptions", "prompt", "sentence", "sentences",
    "raw", "tags", "tag_string", "keywords", "label", "labels", "class", "category", "title", "name",
)  # fmt: skip
"""Names under which captions are stored, from the surest to what is taken for lack of another. `raw` is the sentence of
an entry of COCO and Flickr30k."""
CAPTION_NAMES = tuple(name for name in _SAID_IN if name != "raw")

_NO_CAPTION = (
    r"(^|_)(id|ids|file|filename|file_name|path|filepath|image|img|url|uri|hash|md5|sha1|sha256|license|split|"
    r"source|author|date|time|format|mode|md5hash|uuid|key|lang|language)$"
)
"""Names of columns that speak of a file, not of what a picture shows."""


def tidy(text: str) -> str:
    """A text with single blanks, and tags as they are read: "red_hair, 1girl" and "red_hair 1girl" both become
    "red hair, 1girl". What holds no letter or digit says nothing and becomes empty."""
    text = " ".join(text.replace("\0", " ").split())
    if not any(letter.isalnum() for letter in text):
        return ""
    if "," in text:
        tags = [_tag(part) for part in text.split(",")]
        return ", ".join(tag for tag in tags if tag) if "_" in text or r"\(" in text else text.rstrip(", ")
    if "_" in text and not re.search(r"[.!?;]( |$)", text):
        return ", ".join(map(_tag, text.split()))
    return text


def _tag(text: str) -> str:
    return " ".join(text.replace("_", " ").replace(r"\(", "(").replace(r"\)", ")").split())


def class_name(name: str) -> str:
    """The name of a class as words: "sea_dog", "sea-dog", "10_sea dog" and "003.Sea_dog" are all a sea dog. Numbers
    before a name are an order or a weight; a name that is a number stays."""
    bare = re.sub(r"^\d+[._ -]+(?=\S*[^\W\d])", "", name.strip())
    return " ".join(re.sub(r"[_-]+", " ", bare).split())


def texts_in(value: Any) -> tuple[str, ...]:
    """The captions that a value of a table or of JSON holds, without empty ones and repetitions: a text is one, a list
    of tags is one, a list of sentences is one each, and of a mapping those under the first name that captions have."""
    if isinstance(value, str):
        return _distinct([tidy(value)])
    if isinstance(value, list | tuple):
        if value and all(isinstance(part, str) or part is None for part in value):
            texts = [tidy(part) for part in value if part]
            return _distinct([", ".join(_distinct(texts))] if _are_tags(texts) else texts)
        return _distinct(text for part in value for text in texts_in(part))
    if isinstance(value, dict):
        by_name = {str(name).lower(): inner for name, inner in value.items()}
        return next((found for name in _SAID_IN if (found := texts_in(by_name.get(name)))), ())
    return ()


def texts_in_file(content: bytes, suffix: str) -> tuple[str, ...]:
    """The captions in a file beside a picture: JSON, or a text of which each line is one. Numbers alone, as the boxes
    of a detector are stored, are none."""
    text = decoded(content)
    if suffix == ".json":
        try:
            return texts_in(json.loads(text))
        except ValueError:
            return ()
    lines = [line for line in text.splitlines() if any(map(str.isalpha, line))]
    return _distinct(map(tidy, lines))


def decoded(content: bytes) -> str:
    """Text in UTF-8, in UTF-16 where it says so, else in the alphabet of Western Windows."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def one_caption(texts: Iterable[str]) -> str | None:
    """All that is said of a picture as one text, a full stop between what is no sentence yet; None if nothing is."""
    said = list(texts)
    ended = [text if text[-1] in ".!?" else text + "." for text in said[:-1]]
    return " ".join([*ended, *said[-1:]]) or None


def caption_columns(texts: Sequence[str]) -> list[str]:
    """Of columns that hold text those of captions: the first by name, with its like (`caption_0`, `caption_1`), else
    the only one that does not speak of the file."""
    plain = {name: name.strip().lower() for name in texts}
    for wanted in CAPTION_NAMES:
        if exact := [name for name in texts if plain[name] == wanted]:
            return exact[:1]
        if alike := [name for name in texts if plain[name].rstrip("0123456789").rstrip("_ -") == wanted]:
            return alike
    others = [name for name in texts if not re.search(_NO_CAPTION, plain[name])]
    return others if len(others) == 1 else []


def _are_tags(texts: list[str]) -> bool:
    if any(text[-1] in ".!?" for text in texts if text):
        return False
    short = sum(len(text.split()) <= _TAG_WORDS for text in texts)
    return len(texts) > 2 and 2 * short > len(texts)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
