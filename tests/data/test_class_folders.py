from pathlib import PurePosixPath

import pytest

from swiggle.data.class_folders import classes_of


def files(*folders: str, each: int = 3) -> list[PurePosixPath]:
    return [PurePosixPath(folder, f"{number}.png") for folder in folders for number in range(each)]


@pytest.mark.parametrize(
    ("folders", "classes"),
    [
        (("cat", "sea_dog"), ["cat", "sea dog"]),
        (("train/cat", "train/dog", "test/cat"), ["cat", "dog"]),
        (("cat/images", "dog/images"), ["cat", "dog"]),
        (("10_red cat", "5_dog"), ["dog", "red cat"]),
        (("animals/cat", "tools/saw"), ["cat", "saw"]),
        (("0", "1", "2"), ["0", "1", "2"]),
        (("cat",), []),
        (("cat", ""), []),
        (("train", "test"), []),
        (("000", "001"), []),
        (("a0", "ff"), []),
        (("part-0", "part-1"), []),
        (("64", "sheets"), []),
        (("16x16", "32x32"), []),
        (("bee", "cab"), ["bee", "cab"]),
    ],
)
def test_folders_that_are_classes(folders: tuple[str, ...], classes: list[str]) -> None:
    assert sorted(set(classes_of(files(*folders)).values())) == classes


def test_a_folder_for_each_picture_is_no_class() -> None:
    assert classes_of(files(*(f"item{number}x" for number in range(20)), each=1)) == {}
    assert classes_of([]) == {}
