"""A latent from which colours can be told apart linearly.

Squared pixel error alone gives thirty shirt colours three dimensions, red, green and blue, in which most of them lie
between others: no linear feature can fire on one of them and not on its neighbours, however good the dictionary. So
while the VAE learns, a linear readout of its latent says what share of each cell of the picture has each colour, of 64
(four levels a channel), and the VAE is asked to make that easy. It needs nothing but the pictures, and is thrown away
after training. What it is worth is in docs/training.md.
"""

import torch
from torch import Tensor, nn

from swiggle.config import VAEConfig
from swiggle.models.vae import VAE, Posterior

LEVELS = 4
"""Of each colour channel."""
COLOURS = LEVELS**3


def colour_weight(step: int, config: VAEConfig) -> float:
    """Falls linearly to zero: the latent is shaped early, and the end belongs to the pictures alone."""
    return config.colour_weight * max(0.0, 1.0 - step / (config.colour_until * config.steps))


class ColourReadout(nn.Module):
    def __init__(self, latent_shape: tuple[int, int, int]) -> None:
        """latent_shape: (C, h, w); the cells are the latent's."""
        super().__init__()
        channels, self.height, self.width = latent_shape
        self.read = nn.Linear(channels * self.height * self.width, self.height * self.width * COLOURS)

    def forward(self, mean: Tensor, pictures: Tensor) -> Tensor:
        """Squared error of the shares read from posterior means [N, C, h, w] of pictures [N, 3, S, S], values -1 to
        1, summed over cells and colours, mean over the batch."""
        return (self.read(mean.flatten(1)).float() - self.shares(pictures)).square().sum(dim=1).mean()

    def shares(self, pictures: Tensor) -> Tensor:
        """[N, h * w * colours]: of each cell's pixels, the share in each colour; a cell's sum to 1."""
        count, _, height, width = pictures.shape
        level = ((pictures + 1.0) * (LEVELS / 2)).floor().clamp(0, LEVELS - 1).long()
        colour = (level[:, 0] * LEVELS + level[:, 1]) * LEVELS + level[:, 2]
        rows = torch.arange(height, device=pictures.device) * self.height // height
        columns = torch.arange(width, device=pictures.device) * self.width // width
        place = (rows[:, None] * self.width + columns) * COLOURS + colour
        weight = self.height * self.width / (height * width)
        shares = torch.zeros(count, self.height * self.width * COLOURS, device=pictures.device)
        return shares.scatter_add_(1, place.flatten(1), shares.new_full((), weight).expand(count, height * width))


class ReadVAE(nn.Module):
    """A VAE and its readout as one module, so that workers exchange the gradients of both."""

    def __init__(self, vae: VAE, readout: ColourReadout | None) -> None:
        super().__init__()
        self.vae, self.readout = vae, readout

    def forward(self, pictures: Tensor, noise: Tensor, read: bool) -> tuple[Tensor, Posterior, Tensor]:
        """Reconstruction, posterior, and the readout's error if it is to `read`, else 0."""
        reconstruction, posterior = self.vae(pictures, noise)
        if self.readout is None:
            return reconstruction, posterior, reconstruction.new_zeros(())
        if not read:  # workers exchange gradients of every parameter, so each needs one
            nothing = [parameter.sum() * 0.0 for parameter in self.readout.parameters()]
            return reconstruction, posterior, torch.stack(nothing).sum()
        return reconstruction, posterior, self.readout(posterior.mean, pictures)
