"""How well pictures come back: PSNR and the share of pixels that are right."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from swiggle.data.reading import enlarge
from swiggle.models.vae import VAE, to_images

TOLERANCE = 16
_BATCH = 256


@dataclass(frozen=True)
class Reconstruction:
    """D(E(x)) of a set of pictures, through posterior means."""

    scores: dict[str, float]
    """`psnr` and `pixels_within_16` (see `reconstruction_scores`), and `kl`, nats a picture."""
    kl_per_channel: np.ndarray
    """Nats a picture, float64 [C]."""
    latents: np.ndarray
    """Posterior means, float32 [N, C, h, w]."""
    originals: np.ndarray
    """The first pictures, uint8 [shown, S, S, 3]."""
    decoded: np.ndarray
    """What became of them."""


@torch.inference_mode()
def reconstruct(vae: VAE, images: np.ndarray, shown: int = 16) -> Reconstruction:
    """Encode and decode uint8 [N, s, s, 3], s the model's size or a divisor of it, a batch at a time."""
    squared = right = 0.0
    kl, latents, originals, decoded = [], [], [], []
    for start in range(0, len(images), _BATCH):
        batch = enlarge(images[start : start + _BATCH], vae.config.image_size)
        posterior = vae.encode(vae.pictures(batch))
        back = to_images(vae.decode(posterior.mean))
        part = _sums(batch, back)
        squared, right = squared + part[0], right + part[1]
        kl.append(posterior.kl_per_channel().double().sum(dim=0).cpu().numpy())
        latents.append(posterior.mean.cpu().numpy())
        if start < shown:
            originals.append(batch[: shown - start])
            decoded.append(back[: shown - start])
    kl_per_channel = np.sum(kl, axis=0) / len(images)
    scores = _scores(squared, right, len(images) * vae.config.image_size**2)
    return Reconstruction(
        {**scores, "kl": float(kl_per_channel.sum())},
        kl_per_channel,
        np.concatenate(latents),
        np.concatenate(originals),
        np.concatenate(decoded),
    )


def reconstruction_scores(originals: np.ndarray, reconstructions: np.ndarray) -> dict[str, float]:
    """Both uint8 [N, S, S, 3]. `psnr` in dB from the squared error pooled over all pictures; `pixels_within_16`,
    the share of pixels that differ by at most 16 of 255 in every channel."""
    squared, right = _sums(originals, reconstructions)
    return _scores(squared, right, originals[..., 0].size)


def _sums(originals: np.ndarray, reconstructions: np.ndarray) -> tuple[float, float]:
    difference = originals.astype(np.int32) - reconstructions.astype(np.int32)
    right = np.abs(difference).max(axis=-1) <= TOLERANCE
    return float(np.square(difference).sum(dtype=np.int64)), float(right.sum())


def _scores(squared: float, right: float, pixels: int) -> dict[str, float]:
    # JSON knows no infinity: pictures that come back exactly score as if one value of all of them were off by one.
    psnr = 10 * math.log10(255**2 * 3 * pixels / (squared or 1.0))
    return {"psnr": psnr, "pixels_within_16": right / pixels}
