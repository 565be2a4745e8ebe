"""Learning-rate schedules as a factor of the peak rate."""

from typing import Literal


def vae_lr_factor(step: int, steps: int, warmup: int, decay: Literal["constant", "linear"]) -> float:
    """Linear rise over `warmup` steps, then constant or a linear fall to zero at `steps`."""
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    return rise * (1.0 - step / steps) if decay == "linear" else rise


def sae_lr_factor(step: int, steps: int, decay_share: float) -> float:
    """Constant, then a linear fall to zero over the last `decay_share` of all steps."""
    decay_steps = max(1, round(steps * decay_share))
    return min(1.0, (steps - step) / decay_steps)
