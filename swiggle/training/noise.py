"""Standard normal noise that is a function of seed, step and row, whoever asks for it and wherever it is computed.

A generator with a state gives the rows of a batch one after the other, so that each worker has to draw all rows to
have its own. Philox (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") is a function of a counter
instead: a worker draws its own rows, and a resumed training those of its step. Integers are the same on every device;
the normals made of them differ in the last digits, for processors round logarithm and cosine differently.
"""

import math

import torch
from torch import Tensor

_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_WORD = 0xFFFFFFFF


def philox(counter: tuple[Tensor, Tensor, Tensor, Tensor], seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Philox4x32-10: four words of 32 bits for each counter of four, all int64 tensors that broadcast."""
    a, b, c, d = counter
    low, high = seed & _WORD, (seed >> 32) & _WORD
    for _ in range(_ROUNDS):
        left, right = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]  # of 64 bits; that they wrap loses none of them
        a, b, c, d = (
            ((right >> 32) & _WORD) ^ b ^ low,
            right & _WORD,
            ((left >> 32) & _WORD) ^ d ^ high,
            left & _WORD,
        )
        low, high = (low + _WEYL[0]) & _WORD, (high + _WEYL[1]) & _WORD
    return a, b, c, d


def normal(seed: int, steps: range, rows: range, count: int, device: torch.device) -> Tensor:
    """float32 [steps, rows, count], each row by its step, its place in the whole batch and the seed alone."""
    step = torch.arange(steps.start, steps.stop, device=device)[:, None, None]
    row = torch.arange(rows.start, rows.stop, device=device)[None, :, None]
    place = torch.arange(-(-count // 4), device=device)[None, None]
    words = philox((place, row, step & _WORD, step >> 32), seed)
    # Box and Muller (1958). 23 bits and a half, so that no value is 0 or 1.
    first, angle, second, other = (((word >> 9).float() + 0.5) * 2.0**-23 for word in words)
    found = []
    for radius, turn in ((first, angle), (second, other)):
        length, direction = (-2.0 * radius.log()).sqrt(), 2.0 * math.pi * turn
        found += [length * direction.cos(), length * direction.sin()]
    return torch.stack(found, dim=-1).flatten(2)[..., :count]


class BatchNoise:
    """The noise of one worker's rows, drawn for many steps at once: one step's would be hundreds of tiny kernels."""

    def __init__(self, seed: int, rows: range, shape: tuple[int, ...], device: torch.device) -> None:
        """`shape`: of one row."""
        self._seed, self._rows, self._shape, self._device = seed, rows, shape, device
        count = math.prod(shape)
        # Fewer at once and each of the hundreds of operations is too short for two threads; more take more memory, on a
        # CPU 4 MiB and as much again for the counters.
        numbers = 2**23 if device.type == "cuda" else 2**20
        self._together = max(1, numbers // max(1, len(rows) * count))
        self._steps = range(0)
        self._drawn = torch.empty(0)

    def of(self, step: int) -> Tensor:
        """float32 [rows, *shape]"""
        if step not in self._steps:
            self._steps = range(step, step + self._together)
            drawn = normal(self._seed, self._steps, self._rows, math.prod(self._shape), self._device)
            self._drawn = drawn.view(len(self._steps), len(self._rows), *self._shape)
        return self._drawn[step - self._steps.start]
