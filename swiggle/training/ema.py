"""An exponential moving average of a model's weights."""

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

EVERY = 10
"""Steps between two updates, since each reads and writes every weight."""

Model = TypeVar("Model", bound=nn.Module)


class WeightAverage(Generic[Model]):
    """A copy of a model, `module`, that moves towards it with each `update`, made every `EVERY` steps.

    PyTorch's `AveragedModel` keeps the count of updates in a tensor, for which a GPU would have to be waited for.
    """

    def __init__(self, model: Model, decay: float) -> None:
        """`decay` is a step's. Early on it is lower, (1 + n) / (10 + n) at update n, so that the first weights are
        forgotten."""
        self.module = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, model: Model) -> None:
        averages: list[Tensor] = list(self.module.parameters())
        weights: list[Tensor] = list(model.parameters())
        if self.updates:
            kept = min(self.decay**EVERY, (1 + self.updates) / (10 + self.updates))
            torch._foreach_lerp_(averages, weights, 1.0 - kept)
        else:
            torch._foreach_copy_(averages, weights)
        self.updates += 1
