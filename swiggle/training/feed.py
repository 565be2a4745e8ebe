"""Batches on the device that trains, ready before they are asked for.

On a GPU what is trained on stays as it is stored, pictures a byte a value and not yet enlarged, on the device where it
fits, and the batches of many steps are picked there at once. Where it does not fit, a thread picks them from the
machine's memory while the GPU is busy with those before.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from swiggle.training.order import batch_indices, worker_share

TOGETHER = 32
"""Steps whose batches are picked at once. More cost memory, at 64 pictures of 128 x 128 some 3 MB a step; with fewer
they are picked more often. Other numbers were not measured."""
SHARE = 0.3
"""Of the device's free memory that what is stored may take, the rest being for the model."""


def batches(
    stored: Tensor, device: torch.device, batch_size: int, steps: range, seed: int, rank: int = 0, workers: int = 1
) -> Iterator[Tensor]:
    """A worker's shares [n, ...] of the batches of `steps` of what is stored [N, ...], on a device: the rows that
    `batch_indices` names."""

    def rows(step: int) -> np.ndarray:
        return worker_share(batch_indices(step, batch_size, len(stored), seed), rank, workers)

    if device.type == "cpu":
        for step in steps:
            yield stored[torch.from_numpy(rows(step))]
        return
    if fits(device, stored.nbytes):
        stored = stored.to(device)
    near = stored.device.type == device.type

    def pick(first: int) -> Tensor:
        block = range(first, min(first + TOGETHER, steps.stop))
        chosen = torch.from_numpy(np.stack([rows(step) for step in block]))
        return stored[on(chosen, device)] if near else pinned(stored[chosen])

    coming: deque[Future[Tensor]] = deque()
    with ThreadPoolExecutor(1) as ahead:
        for first in steps[::TOGETHER]:
            coming.append(ahead.submit(pick, first))
            if len(coming) > 1:
                yield from on(coming.popleft().result(), device)
        while coming:
            yield from on(coming.popleft().result(), device)


def fits(device: torch.device, size: int) -> bool:
    """Whether so many bytes may lie on a GPU beside what is there."""
    return size <= SHARE * torch.cuda.mem_get_info(device)[0]


def pinned(values: Tensor) -> Tensor:
    """In memory from which a GPU reads without the processor."""
    return values.pin_memory() if torch.cuda.is_available() else values


def on(values: Tensor, device: torch.device) -> Tensor:
    """On a device, without waiting for what it is busy with."""
    if device.type == "cuda" and values.device.type == "cpu":
        values = pinned(values)
    return values.to(device, non_blocking=True)
