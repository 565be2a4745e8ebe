"""The sparse autoencoder: an overcomplete dictionary of features for flattened latents.

    z = x W_enc + b_enc              pre-activations, [N, features]
    f = z where z > threshold        activations; thresholds are zero for L1, which makes this ReLU
    x^ = f W_dec + b_dec             reconstruction, [N, latent_dim]

(TopK alone keeps the k largest z of each latent instead.) A row of W_dec is a feature's direction in latent space. On
disk an autoencoder is folded: it takes raw latents, its decoder rows have unit norm, and an activation is therefore a
length in latent space, whatever it was trained for.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from swiggle.config import SAEArchitecture, SAEConfig
from swiggle.pretrained import ModelError, load_pretrained, save_pretrained


class SparseAutoencoder(nn.Module):
    threshold: Tensor

    def __init__(self, config: SAEArchitecture, decoder_init_norm: float = SAEConfig.decoder_init_norm) -> None:
        """Raises `ModelError` for sizes that do not fit together."""
        super().__init__()
        self.config = config
        if config.features < 1 or config.latent_dim < 1:
            raise ModelError(f"sae.features {config.features} and sae.latent_dim {config.latent_dim}: at least 1 each")
        if config.objective == "topk" and not 1 <= config.k <= config.features:
            raise ModelError(f"sae.k {config.k}: not between 1 and the {config.features} features there are")
        rows = torch.randn(config.features, config.latent_dim)
        rows = rows / rows.norm(dim=1, keepdim=True) * decoder_init_norm
        self.W_dec = nn.Parameter(rows)
        self.W_enc = nn.Parameter(rows.T.clone())
        self.b_enc = nn.Parameter(torch.zeros(config.features))
        self.b_dec = nn.Parameter(torch.zeros(config.latent_dim))
        self.register_buffer("threshold", torch.zeros(config.features))

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.W_dec.device

    def rows(self) -> np.ndarray:
        """Decoder rows, float32 [features, latent_dim]."""
        return self.W_dec.detach().cpu().numpy()

    def preactivations(self, latents: Tensor) -> Tensor:
        """Latents [N, latent_dim] to what the activation function sees, [N, features]."""
        return F.linear(latents, self.W_enc.T, self.b_enc)

    def encode(self, latents: Tensor) -> Tensor:
        """Latents [N, latent_dim] to activations [N, features]."""
        preactivations = self.preactivations(latents)
        if self.config.objective == "topk":
            return strongest(preactivations, self.config.k)
        return torch.where(preactivations > self.threshold, preactivations, 0.0)

    def decode(self, activations: Tensor) -> Tensor:
        """Activations [N, features] to latents [N, latent_dim]."""
        return F.linear(activations, self.W_dec.T, self.b_dec)

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruction and activations."""
        activations = self.encode(latents)
        return self.decode(activations), activations

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors`."""
        save_pretrained(self, SAEArchitecture, self.config, folder)

    @classmethod
    def from_pretrained(cls, folder: Path | str, device: torch.device | str = "cpu") -> "SparseAutoencoder":
        """Read what `save_pretrained` wrote. Raises `ModelError` naming a missing or damaged file."""
        return load_pretrained(cls, SAEArchitecture, SAEConfig, Path(folder)).eval().to(device)


def strongest(preactivations: Tensor, k: int) -> Tensor:
    """ReLU of the k largest of each row of [N, features]; the rest 0."""
    values, indices = preactivations.topk(k, dim=1, sorted=False)
    return torch.zeros_like(preactivations).scatter(1, indices, torch.relu(values))
