"""Encoder and decoder of the `quick` model: what learns fastest on a CPU from small pictures.

Convolutions at this size learn no more from a picture and are several times slower, so both are fully connected. The
latent keeps the shape C x 8 x 8, but its cells are no places of the picture: where a feature acts is measured, never
assumed. In return the encoder sees the whole picture at once, and can tell a shirt from the print that lies on it.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from swiggle.models.refine import Refine
from swiggle.models.shapes import GRID


class DenseBlock(nn.Module):
    """x + SiLU(linear(normalised x)), [N, hidden]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.silu(self.linear(F.rms_norm(x, x.shape[-1:])))


class DenseEncoder(nn.Module):
    """Picture [N, 3, S, S] to the posterior's parameters [N, 2C, 8, 8] through residual fully connected blocks."""

    def __init__(self, image_size: int, hidden: int, blocks: int, latent_channels: int) -> None:
        super().__init__()
        self.latent_channels = latent_channels
        self.see = nn.Linear(3 * image_size * image_size, hidden)
        self.blocks = nn.Sequential(*[DenseBlock(hidden) for _ in range(blocks)])
        self.narrow = nn.Linear(hidden, 2 * latent_channels * GRID * GRID)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.blocks(self.see(pictures.flatten(1)))
        return self.narrow(F.silu(x)).unflatten(1, (2 * self.latent_channels, GRID, GRID))


class DenseDecoder(nn.Module):
    """Latent [N, C, 8, 8] to a picture [N, 3, S, S] through residual fully connected blocks and, if asked for, a few
    convolutions that correct it."""

    def __init__(self, image_size: int, hidden: int, blocks: int, latent_channels: int, refine: int = 0) -> None:
        """`refine`: width of the convolutions at the end, 0 for none."""
        super().__init__()
        self.image_size = image_size
        self.widen = nn.Linear(latent_channels * GRID * GRID, hidden)
        self.blocks = nn.Sequential(*[DenseBlock(hidden) for _ in range(blocks)])
        self.paint = nn.Linear(hidden, 3 * image_size * image_size)
        self.refine: nn.Module = Refine(image_size, refine) if refine else nn.Identity()

    def forward(self, latents: Tensor) -> Tensor:
        x = self.blocks(self.widen(latents.flatten(1)))
        return self.refine(self.paint(F.silu(x)).unflatten(1, (3, self.image_size, self.image_size)))
