"""What a sweep tries: every combination of its lists, or a range to search for a wanted L0."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

from swiggle.config import RunConfig, SweepConfig
from swiggle.sae.objective import objective_class

OVERSHOOT = 10.0
"""How many times worse a relative miss of the wanted L0 is than the same relative loss of FVU."""


def knob_of(objective: str) -> str:
    """The setting by which an objective is made sparser: `l1` or `k`."""
    return objective_class(objective).knob


def grid(config: RunConfig) -> list[dict[str, Any]]:
    """Settings of every trial, in the order of the lists."""
    sweep, sae = config.sweep, config.sae
    trials = []
    for objective in sweep.objectives:
        knob = knob_of(objective)
        axes = {
            "features": sweep.features or [sae.features],
            "lr": sweep.lr or [sae.lr],
            "seed": sweep.seeds or [sae.seed],
            knob: getattr(sweep, knob),
        }
        trials += [
            {"objective": objective, **dict(zip(axes, values, strict=True))}
            for values in itertools.product(*axes.values())
        ]
    return trials


def name_of(settings: Mapping[str, Any]) -> str:
    """A name for files and captions that tells the trials of a sweep apart: `l1-0.5`, `topk-16-lr0.001-seed2`."""
    knob = knob_of(settings["objective"])
    words = [f"{settings['objective']}-{settings[knob]:.3g}"]
    words += [f"{short}{settings[key]:.4g}" for key, short in (("features", "w"), ("lr", "lr"), ("seed", "seed"))]
    return "-".join(words)


def miss(metrics: Mapping[str, Any], sweep: SweepConfig) -> float:
    """What a search for an L0 of `target_l0` +- `tolerance` minimises: log FVU, and a penalty for L0 outside the band.

    FVU alone would favour whatever is least sparse."""
    outside = max(0.0, abs(metrics["l0"] - sweep.target_l0) - sweep.tolerance) / sweep.target_l0
    return math.log(max(metrics["fvu"], 1e-12)) + OVERSHOOT * outside
