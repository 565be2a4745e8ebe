import json

import pytest

from swiggle.data.caption_text import caption_columns, class_name, decoded, one_caption, texts_in, texts_in_file, tidy


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("  a cat\n on a  mat. ", "a cat on a mat."),
        ("1girl, red_hair,  smile_\\(happy\\), ", "1girl, red hair, smile (happy)"),
        ("1girl red_hair smile", "1girl, red hair, smile"),
        ("a cat, sitting, ", "a cat, sitting"),
        ("See file_name. It is a cat.", "See file_name. It is a cat."),
        ("---", ""),
        ("", ""),
        ("7", "7"),
        ("猫", "猫"),
    ],
)
def test_tags_read_as_words(text: str, read: str) -> None:
    assert tidy(text) == read


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("sea_dog", "sea dog"),
        ("sea-dog", "sea dog"),
        ("10_sea dog", "sea dog"),
        ("003.Sea_dog", "Sea dog"),
        ("7", "7"),
        ("2024", "2024"),
        ("3d_glasses", "3d glasses"),
    ],
)
def test_names_of_classes_read_as_words(name: str, read: str) -> None:
    assert class_name(name) == read


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, ()),
        (3, ()),
        ("a cat", ("a cat",)),
        (["a cat on a mat", None, "", "one cat", "a cat on a mat"], ("a cat on a mat", "one cat")),
        (["red", "top_hat", "smile"], ("red, top hat, smile",)),
        (["A cat.", "One cat.", "Cat!"], ("A cat.", "One cat.", "Cat!")),
        ([{"raw": "a dog", "imgid": 3}, {"raw": "one dog"}], ("a dog", "one dog")),
        ({"url": "http://x", "Caption": "a dog", "tags": "dog"}, ("a dog",)),
        ({"url": "http://x"}, ()),
    ],
)
def test_captions_of_a_value(value: object, texts: tuple[str, ...]) -> None:
    assert texts_in(value) == texts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_texts_in_any_usual_encoding(encoding: str) -> None:
    assert decoded("a café".encode(encoding)) == "a café"
    assert texts_in_file("a café\n\none cup".encode(encoding), ".txt") == ("a café", "one cup")


def test_a_file_beside_a_picture() -> None:
    assert texts_in_file(b"0 0.5 0.5 0.25 0.25\n3 0.1 0.1 0.2 0.2\n", ".txt") == ()  # boxes of a detector
    assert texts_in_file(json.dumps({"caption": ["a cat", "one cat"]}).encode(), ".json") == ("a cat", "one cat")
    assert texts_in_file(b"{broken", ".json") == ()


def test_all_captions_become_one_text() -> None:
    assert one_caption(["a cat", "One cat!", "a dog."]) == "a cat. One cat! a dog."
    assert one_caption([]) is None


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["url", "text", "label"], ["text"]),
        (["caption_0", "caption_1", "sha256"], ["caption_0", "caption_1"]),
        (["Caption", "tags"], ["Caption"]),
        (["file_name", "what_it_is"], ["what_it_is"]),
        (["this", "that"], []),
        (["image_path", "md5"], []),
    ],
)
def test_columns_of_captions(names: list[str], found: list[str]) -> None:
    assert caption_columns(names) == found
