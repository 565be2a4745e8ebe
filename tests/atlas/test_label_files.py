import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from swiggle.atlas.label_files import label_rows, read_label_file, write_label_file
from swiggle.vocabulary import Vocabulary

ATLAS: Any = SimpleNamespace(
    labels=["shark head", "unexplained", "red body", "unexplained"],
    places=["head", None, "body", None],
    confidence=np.array([0.9, 0.0, 0.8, 0.1]),
    vocabulary=Vocabulary.load("nouns"),
    table=pa.table({"source": ["caption", "unexplained", "caption", "unexplained"]}),
)
BY_HAND = {2: "crimson, very red shirt", 3: "blåhaj hat"}


DICTIONARY = "12e4567890123456"  # what a spreadsheet would take for a number
issue_20 = pytest.mark.xfail(strict=True, reason="issue 20: exports name their dictionary")


@issue_20
@pytest.mark.parametrize("name", ["labels.json", "labels.csv"])
def test_a_file_of_another_dictionary_is_refused(tmp_path: Path, name: str) -> None:
    from swiggle.atlas.hand_labels import LabelError

    write_label_file(tmp_path / name, label_rows(ATLAS, BY_HAND, DICTIONARY))
    assert read_label_file(tmp_path / name, 4, DICTIONARY) == BY_HAND
    with pytest.raises(LabelError, match=rf"{name}.*{DICTIONARY}.*python -m jobs.labels move"):
        read_label_file(tmp_path / name, 4, "2" * 16)
    assert f"{DICTIONARY}," not in (tmp_path / name).read_text().replace(f"sae-{DICTIONARY},", "")


@issue_20
def test_what_the_page_and_the_route_export_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"labels": {"1": "glow"}, "revision": 3, "dictionary": DICTIONARY}))
    assert read_label_file(path, 4, DICTIONARY) == {1: "glow"}
    with pytest.raises(ValueError, match="move"):
        read_label_file(path, 4, "2" * 16)


@issue_20
@pytest.mark.parametrize("name", ["labels.json", "labels.csv"])
def test_who_labelled_is_told_and_only_hand_labels_come_back(tmp_path: Path, name: str) -> None:
    rows = label_rows(ATLAS, BY_HAND, DICTIONARY)
    assert [(row["feature"], row["source"], row["place"]) for row in rows] == [
        (0, "caption", "head"), (2, "hand", "body"), (3, "hand", "head"),
    ]  # fmt: skip
    write_label_file(tmp_path / name, rows)
    assert read_label_file(tmp_path / name, 4, DICTIONARY) == BY_HAND


@issue_20
def test_a_plain_table_is_by_hand(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("feature,label\n1, glow \n", encoding="utf-8-sig")
    assert read_label_file(tmp_path / "mine.csv", 4, DICTIONARY) == {1: "glow"}


@issue_20
@pytest.mark.parametrize(
    ("content", "reason"),
    [("feature,label\n9,x\n", "no feature 9"), ("feature,name\n1,x\n", "label"), ("feature,label\n1,\n", "feature 1")],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"wrong\.csv.*{reason}"):
        read_label_file(path, 4, DICTIONARY)
    with pytest.raises(ValueError, match=r"\.json or \.csv"):
        read_label_file(tmp_path / "labels.txt", 4, DICTIONARY)
