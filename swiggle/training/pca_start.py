"""A dense VAE that begins as the principal components of its pictures.

From random weights, a model of millions of weights learns a few thousand pictures by heart before it draws new ones as
well as principal components do. One that begins as them is at no validation worse than they are, and training can only
add to it, for the weights that are kept are those of the best validation, the first before any step.

The dense blocks can hold a linear map exactly, since silu(a) - silu(-a) = a: two hidden units carry each component, and
the other ones are free to learn what components cannot say.
"""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from swiggle.config import VAEArchitecture
from swiggle.errors import ConfigError
from swiggle.models.dense import DenseBlock, DenseDecoder, DenseEncoder
from swiggle.models.vae import VAE, to_model

PICTURES = 8_192
"""Pictures that components are taken from at most. Fewer fit new pictures worse (3,033 emoji: 26.2 dB on themselves,
24.9 on new ones), more take memory: 0.4 GB at 64 pixels a side."""
LOG_VARIANCE = -6.0
"""Of the posterior to begin with, where means vary with a variance of 1: noise of 0.05, which costs under 0.1 dB."""


@dataclass(frozen=True)
class Components:
    """`mean` float32 [D], and `axes` float32 [k, D] with orthonormal rows, D = 3 x S x S in the order of the model;
    `scale` brings coordinates to a mean square of 1."""

    mean: np.ndarray
    axes: np.ndarray
    scale: float


def components_of(images: np.ndarray, architecture: VAEArchitecture, seed: int = 0) -> Components:
    """The principal components of pictures uint8 [N, s, s, 3], at most as many as the latent has numbers; fewer where
    the pictures vary in fewer ways."""
    pictures = to_model(images[:PICTURES], size=architecture.image_size).flatten(1).numpy()
    most = min(latent_dim(architecture), len(pictures) - 1)
    mean = pictures.mean(axis=0)
    if most < 1 or not np.ptp(pictures, axis=0).any():
        return Components(mean, np.zeros((0, len(mean)), np.float32), 1.0)
    found = PCA(most, svd_solver="randomized", iterated_power=8, random_state=seed).fit(pictures)
    variance = found.explained_variance_
    real = variance > 1e-6 * variance[0]
    scale = float(np.sqrt(real.sum() / variance[real].sum()))
    return Components(mean, found.components_[real].astype(np.float32), scale)


def latent_dim(architecture: VAEArchitecture) -> int:
    """Numbers of a latent of the dense encoder. Raises `ConfigError` where the model has no room for components."""
    if (architecture.encoder, architecture.decoder) != ("dense", "dense"):
        raise ConfigError("vae.start: pca needs vae.encoder=dense and vae.decoder=dense; random takes any")
    numbers = architecture.latent_channels * 64
    if architecture.hidden < 2 * numbers:
        raise ConfigError(f"vae.hidden: {architecture.hidden} is too narrow for vae.start=pca; {2 * numbers} would do")
    return numbers


@torch.no_grad()
def begin_as(vae: VAE, components: Components) -> None:
    """Give a dense VAE weights with which it encodes to components and decodes from them. Where pictures do not vary it
    draws their mean, whatever it encodes to."""
    encoder, decoder = vae.encoder, vae.decoder
    assert isinstance(encoder, DenseEncoder)  # `latent_dim` has seen to it
    assert isinstance(decoder, DenseDecoder)
    mean, axes = (torch.from_numpy(part).to(vae.device) for part in (components.mean, components.axes))
    count, scale = len(axes), components.scale
    nn.init.zeros_(decoder.paint.weight)
    decoder.paint.bias[:] = mean
    if not count:  # the encoder stays as it is, for latents of zeros could not be scaled
        return
    carried = _both(scale * axes)
    encoder.see.weight[: 2 * count] = carried
    encoder.see.bias[: 2 * count] = -(carried @ mean)
    nn.init.zeros_(encoder.narrow.weight)
    nn.init.zeros_(encoder.narrow.bias)
    each = torch.eye(count, device=vae.device)
    encoder.narrow.weight[:count, : 2 * count] = _both(each).T
    encoder.narrow.bias[len(encoder.narrow.bias) // 2 :] = LOG_VARIANCE
    decoder.widen.weight[: 2 * count] = 0.0
    decoder.widen.weight[: 2 * count, :count] = _both(each)
    decoder.widen.bias[: 2 * count] = 0.0
    decoder.paint.weight[:, : 2 * count] = _both(axes / scale).T
    for block in (*encoder.blocks, *decoder.blocks):
        assert isinstance(block, DenseBlock)
        block.linear.weight[: 2 * count] = 0.0
        block.linear.bias[: 2 * count] = 0.0


def hold(vae: VAE) -> None:
    """Let nothing of a VAE learn but the refinement of its decoder. Raises `ConfigError` where it has none."""
    if not vae.config.refine or not isinstance(vae.decoder, DenseDecoder):
        raise ConfigError("vae.learn: refinement needs vae.decoder=dense and vae.refine, a width of 32 for example")
    vae.requires_grad_(False)
    vae.decoder.refine.requires_grad_(True)


def _both(rows: Tensor) -> Tensor:
    """Rows, and the same with the other sign: [n, D] -> [2n, D]."""
    return torch.cat([rows, -rows])
