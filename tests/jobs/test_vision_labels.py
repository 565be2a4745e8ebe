"""What a vision model answered is kept as it comes: a run that was stopped asks only what is missing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from swiggle.atlas.detectors import CaptionedActivations
from swiggle.atlas.label import UNEXPLAINED, Label
from swiggle.captions.vocabulary import Vocabulary
from swiggle.config import RunConfig


class Labeller:
    """Names every feature "red shirt", and picks the pictures that are red; fails where it is told to."""

    def __init__(self, failing: dict[int, Exception]) -> None:
        self.failing, self.asked = failing, 0

    def name(self, shown: Any, others: Any) -> str:
        self.asked += 1
        if failure := self.failing.pop(self.asked, None):
            raise failure
        return "red shirt"

    def pick(self, label: str, pictures: Any) -> list[bool]:
        return [picture == b"red" for picture in pictures]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls `seen_by_vision` on six unexplained features of a run whose pictures are red where they fire."""
    from jobs import build_atlas

    statistics = SimpleNamespace(
        density=np.ones(6), example_ids=np.tile([0, 1, 2, 3], (6, 1)), quantile_example_ids=np.tile([4, 5, 6], (6, 1))
    )
    values = sparse.csr_matrix((np.arange(20)[:, None] < 8) * np.ones((1, 6), np.float32))
    train = np.arange(20), CaptionedActivations(values, [None] * 20)

    def pictures(data: Path, wanted: np.ndarray, samples: int) -> tuple[list[int], list[bytes], set[int]]:
        ids = sorted(set(wanted.tolist()))
        return ids, [b"red" if number < 8 else b"blue" for number in ids], set()

    monkeypatch.setattr(build_atlas, "collect_pictures", pictures)
    (tmp_path / "data").mkdir()
    config = RunConfig(run=str(tmp_path))
    labels = [Label(UNEXPLAINED)] * 6

    def call(labeller: Labeller) -> list[Label]:
        monkeypatch.setattr(build_atlas, "VisionLabeller", lambda url, model: labeller)
        return build_atlas.seen_by_vision(config, labels, statistics, train, Vocabulary(), str(tmp_path / "parts"))

    return call


def test_only_what_is_missing_is_asked_again(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from swiggle.atlas.vision import NoAnswer, VisionError

    stopped = Labeller({3: NoAnswer("timeout"), 5: VisionError("the key was refused")})
    with pytest.raises(VisionError, match="key"):
        asked(stopped)
    again = Labeller({2: NoAnswer("429")})
    found = asked(again)
    assert again.asked == 3  # the one that was not answered, the one that stopped the run, and the one after it
    assert [label.text for label in found].count("red shirt") == 5
    assert [label.source for label in found].count("vision") == 5
    assert "1 of 3 " in capsys.readouterr().out
    last = Labeller({})
    assert [label.text for label in asked(last)] == ["red shirt"] * 6
    assert last.asked == 1


def test_nothing_to_ask_and_nothing_answered(asked: Any) -> None:
    from swiggle.atlas.vision import NoAnswer

    silent = Labeller({number: NoAnswer("429") for number in range(1, 5)})
    found = asked(silent)
    assert [label.text for label in found].count(UNEXPLAINED) == 4
    assert asked(Labeller({}))[0].text == "red shirt"
    assert [label.text for label in asked(Labeller({1: AssertionError("nobody is asked")}))] == ["red shirt"] * 6
