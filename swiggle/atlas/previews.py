"""Pictures of features: decoded alone, and taken out of the pictures in which they are strongest."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from swiggle.models.vae import VAE, to_images
from swiggle.sae.model import SparseAutoencoder

FOOTPRINT = 32
"""Footprints are kept on a grid of 32 x 32 whatever the size of the picture."""


@dataclass(frozen=True)
class Previews:
    """For n features: `one_hot` D(b_dec + W_dec,i) and `natural` D(b_dec + a_i W_dec,i), uint8 [n, S, S, 3]."""

    one_hot: np.ndarray
    natural: np.ndarray


@dataclass(frozen=True)
class Ablation:
    """A feature taken out of e pictures: `before` D(z) and `after` D(z - f_i W_dec,i), uint8 [e, S, S, 3]; `change`
    [e], their mean absolute difference of 255; `moved` float32 [e, 32, 32], their squared difference; `footprint`
    float32 [32, 32], where the pictures move, scaled to a sum of one (zero where there are no pictures)."""

    before: np.ndarray
    after: np.ndarray
    change: np.ndarray
    moved: np.ndarray
    footprint: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """Absolute, uint8 [e, S, S, 3]."""
        return np.abs(self.before.astype(np.int16) - self.after).astype(np.uint8)


@torch.inference_mode()
def preview(vae: VAE, sae: SparseAutoencoder, features: np.ndarray, levels: np.ndarray) -> Previews:
    """Draw features int [n] with mean activations `levels` [n]."""
    rows = sae.W_dec[torch.tensor(features)].to(vae.device)
    amounts = torch.tensor(levels, dtype=torch.float32, device=vae.device)[:, None]
    bias, shape = sae.b_dec.to(vae.device), (-1, *vae.latent_shape)
    one_hot = to_images(vae.decode((bias + rows).view(shape)))
    return Previews(one_hot, to_images(vae.decode((bias + amounts * rows).view(shape))))


@torch.inference_mode()
def ablate(vae: VAE, sae: SparseAutoencoder, feature: int, latents: Tensor, activations: Tensor) -> Ablation:
    """Take a feature out of pictures with latents [e, C, h, w] in which it has activations [e]."""
    if len(latents) == 0:
        none = np.zeros((0, vae.config.image_size, vae.config.image_size, 3), np.uint8)
        nowhere = np.zeros((0, FOOTPRINT, FOOTPRINT), np.float32)
        return Ablation(none, none, np.zeros(0, np.float32), nowhere, np.zeros((FOOTPRINT, FOOTPRINT), np.float32))
    moves = activations.to(sae.device)[:, None] * sae.W_dec[feature]
    latents = latents.to(vae.device)
    without = latents - moves.to(vae.device).view_as(latents)
    before, after = vae.decode(torch.cat([latents, without])).clamp(-1, 1).chunk(2)
    moved = (before - after).abs()
    where = _on_grid(moved.mean(dim=(0, 1), keepdim=True))[0, 0]
    return Ablation(
        before=to_images(before),
        after=to_images(after),
        change=moved.mean(dim=(1, 2, 3)).mul(127.5).cpu().numpy(),
        moved=_on_grid(moved.square().mean(dim=1, keepdim=True))[:, 0].cpu().numpy(),
        footprint=(where / where.sum().clamp_min(1e-12)).cpu().numpy(),
    )


def _on_grid(pictures: Tensor) -> Tensor:
    """Pictures [n, 1, S, S] by the mean of what falls on each cell of the footprints' grid."""
    return F.interpolate(pictures, size=(FOOTPRINT, FOOTPRINT), mode="area")
