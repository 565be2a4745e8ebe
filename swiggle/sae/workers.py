"""What the workers of one training agree on. Without a process group there is one worker, and all of this does nothing.

Each worker has an equal share of every batch, so a mean over the batch is the mean of the workers' means.
"""

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor


def worker_count() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


@torch.no_grad()
def mean_over_workers(values: Tensor) -> Tensor:
    """Of a tensor that every worker has; takes no gradient."""
    values = values.detach()
    if (workers := worker_count()) == 1:
        return values
    total = values.clone()
    dist.all_reduce(total)
    return total / workers


@torch.no_grad()
def any_over_workers(flags: Tensor) -> Tensor:
    """bool, true where it is on any worker."""
    if worker_count() == 1:
        return flags
    found = flags.to(torch.uint8)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return found.bool()


@torch.no_grad()
def gather(values: Tensor) -> Tensor:
    """The values [n] of all workers, end to end."""
    if (workers := worker_count()) == 1:
        return values
    parts = [torch.empty_like(values) for _ in range(workers)]
    dist.all_gather(parts, values.contiguous())
    return torch.cat(parts)


@torch.no_grad()
def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Each parameter's gradient becomes its mean over the workers, in one exchange."""
    if worker_count() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    mean = mean_over_workers(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
