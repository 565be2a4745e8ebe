"""Pictures of a feature: decoded on its own, and where it acts."""

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
    """For n features: `one_hot` D(b_dec + W_dec,i) and `natural` D(b_dec + a_i W_dec,i), uint8 [n, S, S, 3];
    `footprint` float32 [n, 32, 32], how far D moves at each place when the feature is taken out of pictures in which
    it is active, scaled to a sum of one (zero for a feature that is never active)."""

    one_hot: np.ndarray
    natural: np.ndarray
    footprint: np.ndarray


@torch.inference_mode()
def preview(
    vae: VAE, sae: SparseAutoencoder, features: np.ndarray, levels: np.ndarray, examples: list[tuple[Tensor, Tensor]]
) -> Previews:
    """Draw features int [n] with mean activations `levels` [n]; `examples[k]` holds latents [e, C, h, w] of pictures
    in which the k-th feature is active and its activations there [e]."""
    rows = sae.W_dec[torch.tensor(features)]
    amounts = torch.tensor(levels, dtype=torch.float32)[:, None]
    shape = (-1, *vae.latent_shape)
    one_hot = to_images(vae.decode((sae.b_dec + rows).view(shape)))
    natural = to_images(vae.decode((sae.b_dec + amounts * rows).view(shape)))
    footprints = np.stack([_footprint(vae, row, *found) for row, found in zip(rows, examples, strict=True)])
    return Previews(one_hot, natural, footprints)


def _footprint(vae: VAE, row: Tensor, latents: Tensor, activations: Tensor) -> np.ndarray:
    if len(latents) == 0:
        return np.zeros((FOOTPRINT, FOOTPRINT), dtype=np.float32)
    without = latents - (activations[:, None] * row).view_as(latents)
    before, after = vae.decode(torch.cat([latents, without])).clamp(-1, 1).chunk(2)
    moved = (before - after).abs().mean(dim=(0, 1), keepdim=True)
    moved = F.interpolate(moved, size=(FOOTPRINT, FOOTPRINT), mode="area")[0, 0]
    return (moved / moved.sum().clamp_min(1e-12)).numpy()
