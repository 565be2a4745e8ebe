"""Anthropic's L1 objective of April 2024 (transformer-circuits.pub, "Update on how we train SAEs").

L = mean_x ( ||x - x^||^2 + l1 * sum_i f_i ||W_dec,i|| )

The squared error is summed over dimensions, and decoder norms are free: weighting by them takes away the gain from
shrinking activations and growing rows. Inputs are scaled so that E||x|| = sqrt(n).
"""

import math

from torch import Tensor

from swiggle.sae.model import SparseAutoencoder


def input_scale(latents: Tensor) -> float:
    """The constant that brings latents [N, n] to E||x|| = sqrt(n)."""
    return math.sqrt(latents.shape[1]) / latents.norm(dim=1).mean().item()


def l1_loss(sae: SparseAutoencoder, latents: Tensor, l1: float) -> dict[str, Tensor]:
    """`loss` = `error` + l1 * `sparsity`, each a mean over the batch of scaled latents [N, n]."""
    reconstruction, activations = sae(latents)
    error = (reconstruction.float() - latents).square().sum(dim=1).mean()
    sparsity = (activations.float() @ sae.W_dec.norm(dim=1)).mean()
    return {"loss": error + l1 * sparsity, "error": error, "sparsity": sparsity}
