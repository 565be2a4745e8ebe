"""The variational autoencoder (Kingma and Welling, arXiv 1312.6114): pictures to 4 x 8 x 8 latents and back.

    vae = VAE.from_pretrained("runs/demo/vae", device="cuda")
    z = vae.encode(pictures).mean          # [N, 4, 8, 8]
    pictures = vae.decode(z)               # [N, 3, S, S], values about -1 to 1

Which encoder and decoder it is made of is a `VAEArchitecture`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from swiggle.config import VAEArchitecture, VAEConfig
from swiggle.models.dense import DenseDecoder, DenseEncoder
from swiggle.models.ladder import ConvDecoder, ConvEncoder
from swiggle.models.shapes import latent_shape
from swiggle.pretrained import load_pretrained, save_pretrained

_BATCH = 256
"""Pictures that go through at once: what bounds memory."""


@dataclass(frozen=True)
class Posterior:
    """A diagonal Gaussian over latents; `mean` and `log_variance` are [N, C, h, w]."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """mean + standard deviation * noise, noise standard normal and shaped like the mean."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def kl(self) -> Tensor:
        """KL divergence from the standard normal, in nats, summed over latent dimensions: [N]."""
        return self.kl_per_channel().sum(dim=1)

    def kl_per_channel(self) -> Tensor:
        """KL divergence from the standard normal, in nats, summed over the cells of each channel: [N, C]."""
        terms = self.mean.square() + self.log_variance.exp() - 1.0 - self.log_variance
        return 0.5 * terms.flatten(2).sum(dim=2)


class VAE(nn.Module):
    """Encoder, diagonal Gaussian posterior and decoder."""

    def __init__(self, config: VAEArchitecture) -> None:
        """Raises `ShapeError` for sizes that do not fit together."""
        super().__init__()
        self.config = config
        self.latent_shape = latent_shape(config)
        size, latent, channels = config.image_size, config.latent_channels, config.channels
        dense = (size, config.hidden, config.blocks, latent)
        self.encoder: nn.Module = ConvEncoder(channels, latent) if config.encoder == "conv" else DenseEncoder(*dense)
        self.decoder: nn.Module = (
            ConvDecoder(channels, latent) if config.decoder == "conv" else DenseDecoder(*dense, config.refine)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)

    def encode(self, pictures: Tensor) -> Posterior:
        """Pictures [N, 3, S, S] with values -1 to 1."""
        mean, log_variance = self.encoder(pictures).float().chunk(2, dim=1)
        # Beyond this range exp() overflows or the gradient is lost before the model has learnt anything.
        return Posterior(mean.contiguous(), log_variance.clamp(-20.0, 10.0).contiguous())

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [N, C, h, w] to pictures [N, 3, S, S], values about -1 to 1."""
        return self.decoder(latents).float()

    @property
    def device(self) -> torch.device:
        """Where its weights are; pictures and latents are brought there."""
        return next(self.parameters()).device

    @torch.inference_mode()
    def encode_images(self, images: np.ndarray) -> np.ndarray:
        """Posterior means float32 [N, C, h, w] of pictures uint8 [N, s, s, 3], s the model's size or a divisor of it,
        a batch at a time."""
        parts = np.split(images, range(_BATCH, len(images), _BATCH))
        return np.concatenate([self.encode(self.pictures(part)).mean.cpu().numpy() for part in parts])

    @torch.inference_mode()
    def decode_images(self, latents: np.ndarray) -> np.ndarray:
        """Pictures uint8 [N, S, S, 3] of latents float32 [N, C, h, w], a batch at a time."""
        parts = torch.from_numpy(latents).split(_BATCH)
        return np.concatenate([to_images(self.decode(part.to(self.device))) for part in parts])

    def pictures(self, images: np.ndarray | Tensor) -> Tensor:
        """Pictures uint8 [N, s, s, 3], s the model's size or a divisor of it, as `encode` takes them."""
        return to_model(images, self.device, self.config.image_size)

    def forward(self, pictures: Tensor, noise: Tensor) -> tuple[Tensor, Posterior]:
        """The reconstruction of a posterior sample, and the posterior."""
        posterior = self.encode(pictures)
        return self.decode(posterior.sample(noise)), posterior

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors`."""
        save_pretrained(self, VAEArchitecture, self.config, folder)

    @classmethod
    def from_pretrained(cls, folder: Path | str, device: torch.device | str = "cpu") -> "VAE":
        """Read what `save_pretrained` wrote. Raises `ModelError` naming a missing or damaged file."""
        return load_pretrained(cls, VAEArchitecture, VAEConfig, Path(folder)).eval().to(device)


def to_model(images: np.ndarray | Tensor, device: torch.device | str = "cpu", size: int | None = None) -> Tensor:
    """uint8 [N, s, s, 3] to float [N, 3, S, S] with values -1 to 1 on a device; pixels are repeated up to `size`, a
    multiple of s."""
    # A byte a value crosses to a GPU, not four, and of a pixel that is repeated one.
    given = images.to(device) if isinstance(images, Tensor) else torch.tensor(images, device=device)
    count, side = given.shape[:2]
    if size is not None and size != side:
        times = size // side
        wide = given[:, :, None, :, None].expand(count, side, times, side, times, 3)
        given = wide.reshape(count, size, size, 3)
    pictures = given.permute(0, 3, 1, 2)
    return pictures.float().div(127.5).sub(1.0).contiguous(memory_format=torch.channels_last)


def to_images(pictures: Tensor) -> np.ndarray:
    """float [N, 3, S, S] with values -1 to 1 to uint8 [N, S, S, 3], clipped and rounded."""
    levels = pictures.clamp(-1.0, 1.0).add(1.0).mul(127.5).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
