"""The list of features as it goes over the wire: each row is made once, and again when somebody labels its feature."""

from collections.abc import Iterable, Mapping

import numpy as np

from serve.routes import schemas
from swiggle.atlas.atlas import Atlas
from swiggle.atlas.entries import entry_for


def row_with(row: dict, label: str, atlas: Atlas) -> dict:
    """A row of the feature list with a label written by hand."""
    place = entry_for(row["id"], label, atlas.vocabulary).place
    return {**row, "label": label, "source": "hand", "confidence": 1.0, "place": place}


class Listing:
    """The rows of one atlas as JSON, with what they are filtered by as columns. For one thread at a time."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas, self._table = atlas, atlas.table.select(list(schemas.Feature.model_fields))
        self._json = np.empty(len(atlas), dtype=object)
        self._columns = {name: np.empty(len(atlas), dtype=object) for name in ("place", "source", "dead")}
        self._by_hand: Mapping[int, str] = {}
        self._put(self._table.to_pylist())

    def page(
        self, by_hand: Mapping[int, str], wanted: Mapping[str, str | bool | None], limit: int, offset: int
    ) -> bytes:
        """A `schemas.FeatureList` of the rows that have what is wanted of `place`, `source` and `dead`, where it is not
        None, with hand labels in place of automatic ones."""
        if by_hand is not self._by_hand:
            self._relabel(by_hand)
        kept = np.ones(len(self._json), bool)
        for name, value in wanted.items():
            if value is not None:
                kept &= self._columns[name] == value
        rows = self._json[kept] if not kept.all() else self._json
        shown = ",".join(rows[offset : offset + limit])
        return f'{{"features":[{shown}],"total":{len(rows)}}}'.encode()

    def _relabel(self, by_hand: Mapping[int, str]) -> None:
        """Make again the rows of features whose hand label is new, another, or gone."""
        either = sorted(by_hand.keys() | self._by_hand.keys())
        changed = [i for i in either if by_hand.get(i) != self._by_hand.get(i)]
        rows = self._table.take(np.array(changed, np.int64)).to_pylist()
        self._put(row_with(row, by_hand[row["id"]], self._atlas) if row["id"] in by_hand else row for row in rows)
        self._by_hand = by_hand

    def _put(self, rows: Iterable[dict]) -> None:
        for row in rows:
            feature = schemas.Feature(**row)
            self._json[feature.id] = feature.model_dump_json()
            for name, column in self._columns.items():
                column[feature.id] = getattr(feature, name)
