"""Encoder and decoder of the `paper` model: a ladder of stride-2 convolutions and its mirror."""

import itertools

import torch
from torch import Tensor, nn


class ConvEncoder(nn.Module):
    """Picture [N, 3, S, S] to the posterior's parameters [N, 2C, S/2^k, S/2^k], k = len(channels)."""

    def __init__(self, channels: list[int], latent_channels: int) -> None:
        super().__init__()
        widths = [3, *channels]
        layers: list[nn.Module] = []
        for narrow, wide in itertools.pairwise(widths):
            layers += [nn.Conv2d(narrow, wide, kernel_size=4, stride=2, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 2 * latent_channels, kernel_size=1))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layers(pictures)


class ConvDecoder(nn.Module):
    """Latent [N, C, s, s] to a picture [N, 3, s * 2^k, s * 2^k] with values about -1 to 1."""

    def __init__(self, channels: list[int], latent_channels: int) -> None:
        super().__init__()
        widths = [*reversed(channels)]
        layers: list[nn.Module] = [nn.Conv2d(latent_channels, widths[0], kernel_size=1), nn.ReLU()]
        for wide, narrow in itertools.pairwise(widths):
            layers += [nn.ConvTranspose2d(wide, narrow, kernel_size=4, stride=2, padding=1), nn.ReLU()]
        layers.append(nn.ConvTranspose2d(widths[-1], 3, kernel_size=4, stride=2, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, latents: Tensor) -> Tensor:
        # Convolutions are faster channels-last; the latent arrives in whatever order steering left it.
        return self.layers(latents.contiguous(memory_format=torch.channels_last))
