from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jobs.runtime.partial_results import arrays_once, rows_once


def test_arrays_are_made_once(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"a": np.arange(6).reshape(2, 3).T}

    for _ in range(2):
        np.testing.assert_array_equal(arrays_once(str(tmp_path / "x"), make)["a"], [[0, 3], [1, 4], [2, 5]])
    assert made == [1]


def test_a_kill_costs_only_the_rows_that_were_not_there_yet(tmp_path: Path) -> None:
    asked: list[list[int]] = []

    def make(ids: list[int], break_at: int | None) -> Iterator[pa.Table]:
        asked.append(ids)
        for start in range(0, len(ids), 3):
            if break_at is not None and start >= break_at:
                raise KeyboardInterrupt
            part = ids[start : start + 3]
            yield pa.table({"id": part, "square": [i * i for i in part]})

    uri, wanted = str(tmp_path / "rows"), list(range(10))
    with pytest.raises(KeyboardInterrupt):
        rows_once(uri, wanted, lambda ids: make(ids, 6))
    found = rows_once(uri, wanted, lambda ids: make(ids, None))
    assert found["square"].to_pylist() == [i * i for i in wanted]
    assert asked == [wanted, [6, 7, 8, 9]]
    assert rows_once(uri, wanted, lambda ids: make(ids, 0)).equals(found)
