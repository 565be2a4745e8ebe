from pathlib import Path

from swiggle.config import SweepConfig
from swiggle.sae.choice import choose
from swiggle.sae.sweep_figure import draw_sweep, short_names
from tests.conftest import coloured


def trial(l1: float, fvu: float, l0: float, dead: float) -> dict:
    return {
        "name": f"l1-{l1:g}",
        "objective": "l1",
        "fvu": fvu,
        "l0": l0,
        "dead": dead,
        "decoder_loss_recovered": 0.9,
        "density_histogram": [1] * 25,
    }


def test_the_most_faithful_that_keeps_the_bounds_is_chosen(tmp_path: Path) -> None:
    trials = [trial(1, 0.01, 40, 0.0), trial(2, 0.04, 20, 0.05), trial(4, 0.09, 8, 0.05), trial(3, 0.03, 15, 0.6)]
    trials.append(trial(2.5, 0.045, 18, 0.05))
    index, reason = choose(trials, SweepConfig())
    assert index == 1
    assert "least FVU of the 2 of 5" in reason
    said = [
        {**trial, "caption_coverage": score} for trial, score in zip(trials, (0.9, 0.5, 0.9, 0.9, 0.6), strict=True)
    ]
    index, reason = choose(said, SweepConfig())
    assert index == 4
    assert "stand best for what captions say (0.600)" in reason
    index, reason = choose(trials[2:4], SweepConfig())
    assert index == 0
    assert "oversteps them least" in reason
    draw_sweep(trials, 1, tmp_path / "pareto.png")
    assert coloured(tmp_path / "pareto.png") > 100


def test_a_coverage_of_zero_is_a_score() -> None:
    """The worst there is; without captions there is none at all, and then FVU decides."""
    said = [{**trial(1, 0.01, 10, 0.0), "caption_coverage": 0.0}, {**trial(2, 0.04, 10, 0.0), "caption_coverage": 0.1}]
    index, reason = choose(said, SweepConfig())
    assert (index, "stand best for what captions say" in reason) == (1, True)


def test_names_in_figures_leave_out_what_all_share() -> None:
    assert short_names(["l1-0.5-w2048-seed0", "topk-8-w2048-seed0"]) == ["l1-0.5", "topk-8"]
    assert short_names(["l1-1-w64-seed0", "l1-1-w64-seed1"]) == ["l1-1-w64-seed0", "l1-1-w64-seed1"]
    assert short_names(["l1-1-w64-seed0"]) == ["l1-1"]


def test_the_reason_says_what_the_scores_are_of() -> None:
    assert "(held-out FVU" in choose([trial(1, 0.01, 10, 0.0)], SweepConfig())[1]
    assert "(training FVU" in choose([trial(1, 0.01, 10, 0.0)], SweepConfig(), scored_on="training")[1]
