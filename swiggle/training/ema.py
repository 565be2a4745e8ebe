"""An exponential moving average of a model's weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

EVERY = 10
"""Steps between two updates, since each reads and writes every weight."""


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of `model` that moves towards it with each `update_parameters(model)`, made every `EVERY` steps.

    `decay` is a step's. Early on it is lower, (1 + n) / (10 + n) at update n, so that the first weights are forgotten.
    """

    def update(averages: Sequence[Tensor], weights: Sequence[Tensor], updates: Tensor | int) -> None:
        kept = min(decay**EVERY, (1 + float(updates)) / (10 + float(updates)))
        torch._foreach_lerp_(list(averages), list(weights), 1.0 - kept)

    return AveragedModel(model, multi_avg_fn=update)
