"""Weak activations of a finished dictionary: a penalty on size leaves many that hardly add anything.

An L1 dictionary describes a latent by a few strong features and a tail of weak ones, which cost little in training and
tell a reader nothing. Activations below a share of their feature's mean are dropped, by a threshold for each feature.
"""

import torch
from torch import Tensor

from swiggle.blocks import rows_at_once
from swiggle.sae.model import SparseAutoencoder


@torch.inference_mode()
def drop_weak(sae: SparseAutoencoder, latents: Tensor, share: float) -> SparseAutoencoder:
    """Raise the thresholds of a folded dictionary, in place, to a share of what each feature's mean activation where
    active is on latents [N, latent_dim]; returns it. TopK has no thresholds and is left as it is."""
    if sae.config.objective == "topk" or not share:
        return sae
    total = torch.zeros(sae.config.features, dtype=torch.float64, device=sae.device)
    fired = torch.zeros_like(total)
    for part in latents.split(min(4096, rows_at_once(sae.config.features))):
        activations = sae.encode(part.to(sae.device))
        total += activations.sum(dim=0)
        fired += (activations > 0).sum(dim=0)
    mean = (total / fired.clamp_min(1)).float()
    sae.threshold.copy_(torch.maximum(sae.threshold, share * mean))
    return sae
