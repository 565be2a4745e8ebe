"""BatchTopK (Bussmann et al. 2024): the k * N strongest activations of a batch of N, shared out as it needs them.

A rich latent gets more features, a plain one fewer. What a batch decides for its members cannot be known for one
latent alone, so a running mean of the weakest activation chosen becomes the threshold of the finished dictionary.
"""

import torch
from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objectives.topk import TopK
from swiggle.sae.workers import gather, worker_count

DECAY = 0.99
"""Of the running mean, a step. The authors' 0.999 is for runs many times as long as these."""


class BatchTopK(TopK):
    """For the least error at an L0."""

    compares_lengths = False  # the finished dictionary has a threshold for each feature
    weakest: Tensor

    def __init__(self, config: SAEConfig, samples_per_pass: int) -> None:
        super().__init__(config, samples_per_pass)
        self.register_buffer("weakest", torch.full((), -1.0))

    def select(self, preactivations: Tensor) -> Tensor:
        activations = torch.relu(preactivations)
        with torch.no_grad():
            cut = cut_of_batch(activations, self.config.k * len(activations), near=self.weakest)
            if self.training:
                fresh = cut.float()
                self.weakest.copy_(torch.where(self.weakest < 0, fresh, self.weakest.lerp(fresh, 1.0 - DECAY)))
        return torch.where(activations >= cut, activations, 0.0)

    def threshold(self, sae: SparseAutoencoder) -> Tensor:
        return self.weakest.clamp_min(0.0) / sae.W_dec.norm(dim=1).clamp_min(1e-12)


def cut_of_batch(activations: Tensor, count: int, near: Tensor) -> Tensor:
    """The smallest of the `count` a worker largest activations of a batch of which every worker has a share."""
    if (workers := worker_count()) > 1:
        count *= workers
        activations = gather(activations.flatten().topk(min(count, activations.numel())).values)
    if activations.device.type == "cpu":
        return smallest_of_largest(activations, count, near.item())
    return without_waiting(activations, count)


def smallest_of_largest(activations: Tensor, count: int, near: float = 0.0) -> Tensor:
    """The smallest of the `count` largest activations, or the smallest positive one where fewer are positive.

    `near`, about where it is expected, only saves time: far fewer activations are above half of it than above 0.
    """
    candidates = activations[activations > max(0.0, near / 2)]
    if near > 0 and len(candidates) < count:
        candidates = activations[activations > 0]
    if len(candidates) <= count:
        return candidates.min() if len(candidates) else activations.new_zeros(())
    return candidates.topk(count, sorted=False).values.min()


def without_waiting(activations: Tensor, count: int) -> Tensor:
    """What `smallest_of_largest` gives, with no shape that depends on values, for which a GPU would be waited for."""
    largest = activations.flatten().topk(min(count, activations.numel()), sorted=False).values
    smallest = torch.where(largest > 0, largest, torch.inf).min()
    return torch.where(smallest.isinf(), 0.0, smallest)
