"""A VAE on pictures at the size that a composed set is drawn at, whatever the size that it was trained for."""

from dataclasses import dataclass

import numpy as np

from swiggle.data.pixels import resize
from swiggle.models.vae import VAE


@dataclass(frozen=True)
class NativePictures:
    """Of side `size`, uint8 [N, size, size, 3], to latents float32 [N, latent_dim] and back."""

    vae: VAE
    size: int

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        return self.vae.encode_images(resized(pictures, self.vae.config.image_size)).reshape(len(pictures), -1)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        shaped = latents.reshape(-1, *self.vae.latent_shape).astype(np.float32)
        return resized(self.vae.decode_images(shaped), self.size)

    def reconstruct(self, pictures: np.ndarray) -> np.ndarray:
        return self.decode(self.encode(pictures))


def resized(pictures: np.ndarray, side: int) -> np.ndarray:
    """Pictures uint8 [N, S, S, 3] at another side."""
    return np.stack([resize(picture, side) for picture in pictures])
