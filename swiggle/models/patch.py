"""Encoder and decoder of the `quick` model: what learns fastest on a CPU from small pictures.

A convolutional decoder at this size learns no more from a picture and is five times slower, so the decoder is
fully connected. It is therefore not local by construction: where a feature acts is measured, never assumed.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GRID = 8


class PatchEncoder(nn.Module):
    """Picture [N, 3, S, S] to the posterior's parameters [N, 2C, 8, 8] through patches of S/8 pixels."""

    def __init__(self, image_size: int, width: int, latent_channels: int) -> None:
        super().__init__()
        patch = image_size // GRID
        self.patches = nn.Conv2d(3, width, kernel_size=patch, stride=patch)
        self.position = nn.Parameter(torch.zeros(1, width, GRID, GRID))
        self.spread = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.mix = nn.Conv2d(width, width, kernel_size=1)
        self.head = nn.Conv2d(width, 2 * latent_channels, kernel_size=1)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.patches(pictures) + self.position
        x = x + self.mix(F.silu(self.spread(F.silu(x))))
        return self.head(F.silu(x))


class DenseBlock(nn.Module):
    """x + SiLU(linear(normalised x)), [N, hidden]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.silu(self.linear(F.rms_norm(x, x.shape[-1:])))


class DenseDecoder(nn.Module):
    """Latent [N, C, 8, 8] to a picture [N, 3, S, S] through residual fully connected blocks."""

    def __init__(self, image_size: int, hidden: int, blocks: int, latent_channels: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.widen = nn.Linear(latent_channels * GRID * GRID, hidden)
        self.blocks = nn.Sequential(*[DenseBlock(hidden) for _ in range(blocks)])
        self.paint = nn.Linear(hidden, 3 * image_size * image_size)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.blocks(self.widen(latents.flatten(1)))
        return self.paint(F.silu(x)).unflatten(1, (3, self.image_size, self.image_size))
