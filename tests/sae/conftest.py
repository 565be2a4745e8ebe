import numpy as np
import pytest
import torch

from swiggle.config import SAEConfig
from swiggle.sae.model import SparseAutoencoder


@pytest.fixture
def random_sae() -> SparseAutoencoder:
    """24 features of 12 dimensions, every parameter normal."""
    return normal_sae(SAEConfig(features=24, latent_dim=12))


def normal_sae(config: SAEConfig, seed: int = 0) -> SparseAutoencoder:
    torch.manual_seed(seed)
    sae = SparseAutoencoder(config)
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.normal_()
    return sae


def synthetic(slots: list[int], dim: int, count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents [count, dim], sums of one unit direction a slot (mutually exclusive values), and the directions."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(sum(slots), dim))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    starts = np.cumsum([0, *slots[:-1]])
    picks = np.stack([start + rng.integers(size, size=count) for start, size in zip(starts, slots, strict=True)], 1)
    amounts = rng.uniform(0.8, 1.2, size=(count, len(slots)))
    latents = np.einsum("nk,nkd->nd", amounts, directions[picks])
    return torch.from_numpy(latents).float(), torch.from_numpy(directions).float()
