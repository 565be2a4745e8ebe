import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from swiggle.atlas.hand_labels import LabelError
from swiggle.atlas.label_files import label_rows, read_label_file, write_label_file
from swiggle.captions.vocabulary import Vocabulary

ATLAS: Any = SimpleNamespace(
    labels=["shark head", "unexplained", "red body", "unexplained"],
    places=["head", None, "body", None],
    confidence=np.array([0.9, 0.0, 0.8, 0.1]),
    vocabulary=Vocabulary.load("nouns"),
    table=pa.table({"source": ["caption", "unexplained", "caption", "unexplained"]}),
)
MINE = "0123456789abcdef"
BY_HAND = {2: "crimson, very red shirt", 3: "blåhaj hat"}


@pytest.mark.parametrize("name", ["labels.json", "labels.csv"])
def test_who_labelled_is_told_and_only_hand_labels_come_back(tmp_path: Path, name: str) -> None:
    rows = label_rows(ATLAS, BY_HAND, MINE)
    assert [(row["feature"], row["source"], row["place"]) for row in rows] == [
        (0, "caption", "head"), (2, "hand", "body"), (3, "hand", "head"),
    ]  # fmt: skip
    write_label_file(tmp_path / name, rows)
    assert read_label_file(tmp_path / name, 4, MINE) == BY_HAND


def test_a_plain_table_is_by_hand(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("feature,label\n1, glow \n", encoding="utf-8-sig")
    assert read_label_file(tmp_path / "mine.csv", 4, MINE) == {1: "glow"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [("feature,label\n9,x\n", "no feature 9"), ("feature,name\n1,x\n", "label"), ("feature,label\n1,\n", "feature 1")],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"wrong\.csv.*{reason}"):
        read_label_file(path, 4, MINE)
    with pytest.raises(ValueError, match=r"\.json or \.csv"):
        read_label_file(tmp_path / "labels.txt", 4, MINE)


@pytest.mark.parametrize("name", ["labels.json", "labels.csv"])
def test_labels_of_another_dictionary_are_refused(tmp_path: Path, name: str) -> None:
    write_label_file(tmp_path / name, label_rows(ATLAS, BY_HAND, "fedcba9876543210"))
    with pytest.raises(LabelError, match=r"of dictionary fedcba9876543210.*jobs\.labels move"):
        read_label_file(tmp_path / name, 4, MINE)


def test_what_the_page_exports_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"labels": {"3": "moon"}, "dictionary": MINE, "revision": 4}))
    assert read_label_file(path, 4, MINE) == {3: "moon"}
