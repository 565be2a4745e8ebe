"""The sparse autoencoder: an overcomplete dictionary of features for flattened latents.

    f = ReLU(x W_enc + b_enc)        activations, [N, features]
    x^ = f W_dec + b_dec             reconstruction, [N, latent_dim]

A row of W_dec is a feature's direction in latent space. On disk an autoencoder is folded: it takes raw latents, its
decoder rows have unit norm, and an activation is therefore a length in latent space.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swiggle.config import SAEConfig
from swiggle.pretrained import load_pretrained, save_pretrained


class SparseAutoencoder(nn.Module):
    def __init__(self, config: SAEConfig) -> None:
        super().__init__()
        self.config = config
        rows = torch.randn(config.features, config.latent_dim)
        rows = rows / rows.norm(dim=1, keepdim=True) * config.decoder_init_norm
        self.W_dec = nn.Parameter(rows)
        self.W_enc = nn.Parameter(rows.T.clone())
        self.b_enc = nn.Parameter(torch.zeros(config.features))
        self.b_dec = nn.Parameter(torch.zeros(config.latent_dim))

    def encode(self, latents: Tensor) -> Tensor:
        """Latents [N, latent_dim] to activations [N, features]."""
        return F.relu(latents @ self.W_enc + self.b_enc)

    def decode(self, activations: Tensor) -> Tensor:
        """Activations [N, features] to latents [N, latent_dim]."""
        return activations @ self.W_dec + self.b_dec

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruction and activations."""
        activations = self.encode(latents)
        return self.decode(activations), activations

    @torch.no_grad()
    def folded(self, scale: float) -> "SparseAutoencoder":
        """The same function of raw latents, given that training saw `scale` times them.

        The decoder norm moves into the encoder (Anthropic, April 2024 update), so decoder rows get unit norm.
        """
        norms = self.W_dec.norm(dim=1).clamp_min(1e-12) / scale
        result = SparseAutoencoder(self.config)
        result.W_dec.copy_(self.W_dec / scale / norms[:, None])
        result.W_enc.copy_(self.W_enc * scale * norms)
        result.b_enc.copy_(self.b_enc * norms)
        result.b_dec.copy_(self.b_dec / scale)
        return result

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors`."""
        save_pretrained(self, self.config, folder)

    @classmethod
    def from_pretrained(cls, folder: Path | str) -> "SparseAutoencoder":
        """Read what `save_pretrained` wrote. Raises ValueError naming a missing or damaged file."""
        return load_pretrained(cls, SAEConfig, Path(folder)).eval()
