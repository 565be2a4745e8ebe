"""All labels of a bundle as a JSON or CSV file, and hand labels back from one.

A row a labelled feature: `feature`, `label`, `place`, `source` (who gave it: hand, caption or vision), `confidence`,
which hand labels have none of, and the id of the `dictionary` whose feature it is. From a file only rows by hand are
taken, so one that was exported, edited in a spreadsheet and marked `hand` where it was changed can be read back; a row
without a source counts as by hand.
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.entries import entry_for
from swiggle.atlas.hand_labels import MAX_LENGTH, LabelError
from swiggle.atlas.label import UNEXPLAINED

HAND = "hand"
_HASH = "sha256:"
"""Stands before ids in CSV: a spreadsheet would take one of digits alone, or with an e, for a number and round it."""
COLUMNS = ("feature", "label", "place", "source", "confidence", "dictionary")


def label_rows(atlas: Atlas, by_hand: Mapping[int, str], dictionary: str) -> list[dict[str, Any]]:
    """A row for each feature that has a label, hand labels in place of others."""
    rows = []
    sources = atlas.table["source"].to_pylist()
    for feature, (label, place, source) in enumerate(zip(atlas.labels, atlas.places, sources, strict=True)):
        if feature in by_hand:
            own = entry_for(feature, by_hand[feature], atlas.vocabulary)
            values: tuple[Any, ...] = (feature, own.label, own.place, HAND, None, dictionary)
        elif label != UNEXPLAINED:
            values = (feature, label, place, source, round(float(atlas.confidence[feature]), 4), dictionary)
        else:
            continue
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def write_label_file(path: Path, rows: list[dict[str, Any]]) -> None:
    """By the file's ending, `.json` or `.csv`. Raises `LabelError` for another, and where it cannot be written."""
    try:
        if path.suffix == ".json":
            path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        elif path.suffix == ".csv":
            with path.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, COLUMNS)
                writer.writeheader()
                writer.writerows({**row, "dictionary": _HASH + row["dictionary"]} for row in rows)
        else:
            raise LabelError(f"{path}: labels are kept as .json or .csv")
    except OSError as error:
        raise LabelError(f"{path}: cannot be written ({error})") from error


def read_label_file(path: Path, features: int, dictionary: str) -> dict[int, str]:
    """The labels by hand of a file, by feature. Raises `LabelError` naming the file and what is wrong with it, or that
    it is of another dictionary; a file that names none is taken to be of this one."""
    try:
        if path.suffix == ".json":
            rows = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(rows, dict):  # as the page and GET /v1/labels write them
                of = rows.get("dictionary")
                rows = [{"feature": i, "label": label, "dictionary": of} for i, label in rows["labels"].items()]
        elif path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8-sig") as stream:  # spreadsheets begin files with a mark
                rows = list(csv.DictReader(stream))
        else:
            raise ValueError("labels are kept as .json or .csv")
        found = {int(row["feature"]): str(row["label"]).strip() for row in rows if (row.get("source") or HAND) == HAND}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabelError(f"{path}: {error or type(error).__name__}") from error
    if other := {str(row["dictionary"]).removeprefix(_HASH) for row in rows if row.get("dictionary")} - {dictionary}:
        raise LabelError(
            f"{path}: these labels are of dictionary {min(other)}, and this bundle has {dictionary}; "
            "python -m jobs.labels move carries over what agrees"
        )
    for feature, label in found.items():
        if not 0 <= feature < features:
            raise LabelError(f"{path}: there is no feature {feature}, only 0 to {features - 1}")
        if not 0 < len(label) <= MAX_LENGTH:
            raise LabelError(f"{path}: the label of feature {feature} must have 1 to {MAX_LENGTH} characters")
    return found
