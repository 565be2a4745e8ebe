"""Pictures changed at random on their way into training, so that few of them are not learnt by heart.

What becomes of a picture is a function of the seed, the step and its place in the whole batch, as the noise is: the
same whatever the number of workers, and the same after a resumption. Which changes are right depends on the pictures: a
shift is wrong for sprites that belong in one place, a mirror for letters, other colours where colours mean something.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from swiggle.config import Change
from swiggle.training.noise import philox

_STREAM = 0xA5_96_0000_0000
"""Keeps these numbers apart from the noise of the same seed."""
_TOGETHER = 256
"""Steps whose numbers are drawn at once; drawing is a hundred short operations, whatever their number."""
_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
_REACH = 16
"""A shift goes a sixteenth of the side at most."""


class Augmentation:
    def __init__(self, changes: Sequence[Change], share: float, seed: int, rows: range, device: torch.device) -> None:
        """`share` of the pictures undergo each of the `changes`; `rows` are this worker's places in the batch."""
        self._changes, self._share, self._seed, self._rows = frozenset(changes), share, seed ^ _STREAM, rows
        self._device = device
        self._steps = range(0)
        self._drawn = torch.empty(0)

    def of(self, pictures: Tensor, step: int) -> Tensor:
        """uint8 [rows, s, s, 3] changed for a step; a picture that is left alone is exactly as it was."""
        if not self._changes:
            return pictures
        chance, how = self._numbers(step)
        chosen = chance < self._share
        if "mirror" in self._changes:
            pictures = torch.where(chosen[:, 0, None, None, None], pictures.flip(2), pictures)
        if "shift" in self._changes:
            pictures = _shifted(pictures, how[:, 1], how[:, 2], chosen[:, 1])
        if "colours" in self._changes:
            orders = torch.tensor(_ORDERS, device=pictures.device)
            order = torch.where(chosen[:, 2, None], orders[how[:, 0] % len(_ORDERS)], orders[0])
            pictures = pictures.gather(3, order[:, None, None, :].expand(pictures.shape))
        return pictures

    def _numbers(self, step: int) -> tuple[Tensor, Tensor]:
        """Of each row three numbers from 0 to 1, which decide whether, and three integers, which decide how."""
        if step not in self._steps:
            self._steps = range(step, step + _TOGETHER)
            steps = torch.arange(step, step + _TOGETHER, device=self._device)[:, None, None]
            row = torch.arange(self._rows.start, self._rows.stop, device=self._device)[None, :, None]
            place = torch.arange(2, device=self._device)[None, None]
            words = philox((place, row, steps & 0xFFFFFFFF, steps >> 32), self._seed)
            self._drawn = torch.stack(words, dim=-1)
        whether, how = self._drawn[step - self._steps.start].unbind(dim=1)
        return whether[:, :3].double() * 2.0**-32, how[:, :3]


def _shifted(pictures: Tensor, down: Tensor, right: Tensor, chosen: Tensor) -> Tensor:
    """Pictures moved by whole pixels; the border is repeated where something comes in."""
    side = pictures.shape[1]
    reach = max(1, side // _REACH)
    places = torch.arange(side, device=pictures.device)[None]

    def moved(numbers: Tensor) -> Tensor:
        by = torch.where(chosen, numbers % (2 * reach + 1) - reach, 0)
        return (places + by[:, None]).clamp(0, side - 1)

    every = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    return pictures[every, moved(down)[:, :, None], moved(right)[:, None, :]]
