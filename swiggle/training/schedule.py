"""Schedules as a factor of the peak: of a learning rate, or of a weight in a loss."""

from typing import Literal


def vae_lr_factor(step: int, steps: int, warmup: int, decay: Literal["constant", "linear"]) -> float:
    """Linear rise over `warmup` steps, then constant or a linear fall to zero at `steps`."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    return rise * (1.0 - step / steps) if decay == "linear" else rise


def fall_at_the_end(step: int, steps: int, share: float) -> float:
    """Constant, then a linear fall to zero over the last `share` of all steps; a share of zero never falls."""
    return min(1.0, (steps - step) / max(1, round(steps * share)))
