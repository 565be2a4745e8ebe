"""Choosing one dictionary from a sweep, without looking at any trait."""

from collections.abc import Sequence
from typing import Any

from swiggle.config import SweepConfig


def choose(trials: Sequence[dict[str, Any]], rule: SweepConfig, scored_on: str = "held-out") -> tuple[int, str]:
    """Index of the chosen trial and the reason in a sentence; `scored_on` says in it which latents the scores are of.

    Among trials that keep the bounds of the rule (`max_fvu`, `max_l0`, `max_dead`) the one whose features stand best
    for what captions say (`caption_coverage`) wins, or, where there are no captions, the one with the least FVU. Where
    none keeps the bounds, the trial that oversteps them least, relative to them, wins.
    """
    bounds = {"fvu": rule.max_fvu, "l0": rule.max_l0, "dead": rule.max_dead}
    limits = f"FVU at most {rule.max_fvu:g}, L0 at most {rule.max_l0:g} and a dead share of at most {rule.max_dead:g}"
    fitting = [i for i, trial in enumerate(trials) if all(trial[name] <= bound for name, bound in bounds.items())]
    if not fitting:
        best = min(range(len(trials)), key=lambda i: sum(max(0.0, trials[i][n] / b - 1) for n, b in bounds.items()))
        why = f"no trial of {len(trials)} has {limits}; this one oversteps them least"
    elif all("caption_coverage" in trials[i] for i in fitting):
        best = max(fitting, key=lambda i: trials[i]["caption_coverage"])
        why = (
            f"its features stand best for what captions say ({trials[best]['caption_coverage']:.3f}) of the "
            f"{len(fitting)} of {len(trials)} trials with {limits}"
        )
    else:
        best = min(fitting, key=lambda i: trials[i]["fvu"])
        why = f"least FVU of the {len(fitting)} of {len(trials)} trials with {limits}"
    trial = trials[best]
    return best, (
        f"{trial['name']}: {why} ({scored_on} FVU {trial['fvu']:.4f}, "
        f"L0 {trial['l0']:.1f}, dead {trial['dead']:.1%}, "
        f"decoder loss recovered {trial['decoder_loss_recovered']:.3f})."
    )
