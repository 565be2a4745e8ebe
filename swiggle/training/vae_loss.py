"""The VAE's loss: mean squared error over pixels plus a weighted KL divergence."""

import torch.nn.functional as F
from torch import Tensor

from swiggle.config import VAEConfig
from swiggle.models.vae import Posterior


def kl_weight(step: int, config: VAEConfig) -> float:
    """Zero for `kl_free_steps`, then linear to `kl_weight` over `kl_warmup_steps`."""
    if step < config.kl_free_steps:
        return 0.0
    if config.kl_warmup_steps == 0:
        return config.kl_weight
    return config.kl_weight * min(1.0, (step - config.kl_free_steps) / config.kl_warmup_steps)


def vae_loss(
    reconstruction: Tensor, pictures: Tensor, posterior: Posterior, weight: float | Tensor
) -> dict[str, Tensor]:
    """`loss` = `error` + weight * `kl`: error is the mean over pixels (values -1 to 1), kl in nats a picture."""
    error = F.mse_loss(reconstruction, pictures)
    kl = posterior.kl().mean()
    return {"loss": error + weight * kl, "error": error, "kl": kl}
