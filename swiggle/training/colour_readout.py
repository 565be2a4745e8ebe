"""A latent from which colours can be told apart linearly.

Squared pixel error alone gives thirty shirt colours three dimensions, red, green and blue, in which most of them lie
between others: no linear feature can fire on one of them and not on its neighbours, however good the dictionary. So
while the VAE learns, a linear readout of its latent says which colours of a palette occur in each region of the
picture, and the VAE is asked to make that easy. That a colour occurs counts, more than how much of it there is: a shirt
is as red below a large print as below a small one. It needs nothing but the pictures, and is thrown away after
training. What it is worth is in docs/training.md.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swiggle.models.vae import VAE, Posterior

REGIONS = 4
"""Regions along each side of the picture."""
ENOUGH = 1 / 8
"""Share of a region from which on a colour counts in full."""
LEVELS = 32
"""Of each channel, in the table that finds a pixel's colour in the palette."""


class ColourReadout(nn.Module):
    nearest: Tensor

    def __init__(self, latent_dim: int, palette: np.ndarray) -> None:
        """palette: uint8 [colours, 3]."""
        super().__init__()
        self.colours = len(palette)
        self.first: Tensor | None = None  # of each pixel the place of its region's first colour, [height, width]
        self.read = nn.Linear(latent_dim, REGIONS * REGIONS * self.colours)
        levels = (torch.arange(LEVELS) + 0.5) * (256 / LEVELS)
        table = torch.cartesian_prod(levels, levels, levels)
        self.register_buffer("nearest", torch.cdist(table, torch.tensor(palette, dtype=torch.float32)).argmin(dim=1))

    def forward(self, mean: Tensor, pictures: Tensor) -> Tensor:
        """Squared error of the occurrences read from posterior means [N, C, h, w] of pictures [N, 3, S, S], values -1
        to 1; summed over colours, regions counting as 64 in all, mean over the batch."""
        read = self.read(mean.flatten(1)).float()
        return F.mse_loss(read, self.occurrences(pictures), reduction="sum") * (64 / REGIONS**2 / len(pictures))

    def occurrences(self, pictures: Tensor) -> Tensor:
        """[N, regions * colours]: 0 where a region lacks a colour, 1 where that fills an eighth of it or more."""
        count, _, height, width = pictures.shape
        # As few operations as it takes, for on a GPU each costs its start: `long` cuts off as `floor` would.
        level = ((pictures + 1.0) * (LEVELS / 2)).clamp_(0, LEVELS - 1).long()
        index = level[:, 2].add(level[:, 1], alpha=LEVELS).add_(level[:, 0], alpha=LEVELS**2)
        if self.first is None or self.first.shape != (height, width) or self.first.device != pictures.device:
            rows, columns = (torch.arange(side, device=pictures.device) * REGIONS // side for side in (height, width))
            self.first = (rows[:, None] * REGIONS + columns) * self.colours
        place = self.nearest[index] + self.first
        share = torch.zeros(count, REGIONS**2 * self.colours, device=pictures.device)
        weight = pictures.new_full((), REGIONS**2 / (height * width) / ENOUGH).expand(count, height * width)
        return share.scatter_add_(1, place.flatten(1), weight).clamp_(max=1.0)


class ReadVAE(nn.Module):
    """A VAE and its readout as one module, so that workers exchange the gradients of both."""

    def __init__(self, vae: VAE, readout: ColourReadout | None) -> None:
        super().__init__()
        self.vae, self.readout = vae, readout

    def forward(self, pictures: Tensor, noise: Tensor) -> tuple[Tensor, Posterior, Tensor]:
        """Reconstruction, posterior, and the readout's error, 0 without one."""
        reconstruction, posterior = self.vae(pictures, noise)
        if self.readout is None:
            return reconstruction, posterior, reconstruction.new_zeros(())
        return reconstruction, posterior, self.readout(posterior.mean, pictures)
