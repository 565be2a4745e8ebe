import json
from pathlib import Path

import pytest

from jobs import evaluate
from jobs.runtime import held_out_scores
from swiggle.overrides import load_config
from tests.hand_bundle import PICTURES, caption_of
from tests.jobs.test_held_out_scores import Pixels, write_splits


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As little as can be scored."""
    monkeypatch.setattr(held_out_scores, "PictureEmbedding", Pixels)
    for name, number in {"WORDS": 3, "PICTURES": 3, "HELD_OUT": 200}.items():
        monkeypatch.setattr(held_out_scores, name, number)
    for name, value in {"PAIRS": 4, "REQUESTS": 4, "GROUPS": (1,), "GROUP_PAIRS": 2, "DIALS": 1}.items():
        monkeypatch.setattr(evaluate, name, value)


def written(run: Path) -> dict:
    return json.loads((run / "evaluation.json").read_text(), parse_constant=pytest.fail)


def test_a_set_of_which_only_captions_are_known(hand_copy: Path) -> None:
    write_splits(hand_copy / "data", [caption_of(chosen) for chosen in PICTURES])
    evaluate.evaluate(load_config(["preset=smoke", f"run={hand_copy}", "data.source=of-my-own"]))
    found = written(hand_copy)
    assert set(found) == {"reconstruction", "dictionary", "labels", "words"}
    assert found["words"]["latent"]["prompt"]["rank"] > 0.9
    assert not (hand_copy / "edits.png").exists()


@pytest.mark.integration
def test_a_composed_set_has_exact_scores_besides(smoke_run: Path) -> None:
    evaluate.evaluate(load_config(["preset=smoke", f"run={smoke_run}"]))
    found = json.loads((smoke_run / "evaluation.json").read_text())
    assert {"reconstruction", "words", "noun_edit", "requests", "dials"} <= set(found)
    assert found["noun_edit"]["ceiling"]["mean"]["success"] > 0.3
    assert (smoke_run / "edits.png").stat().st_size > 1_000
