"""Resampling dead features (Bricken et al. 2023): they begin anew at latents that are badly explained. Off by default.

A latent is drawn with a chance proportional to its squared error squared; it becomes the feature's decoder row (norm
1) and, at a fifth of the living features' mean norm, its encoder column. Bias and optimiser state begin at zero.
"""

import torch
from torch import Tensor

from swiggle.blocks import rows_at_once
from swiggle.sae.inputs import Inputs
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import Objective


@torch.no_grad()
def resample(
    sae: SparseAutoencoder,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    inputs: Inputs,
    latents: Tensor,
    seed: int,
) -> int:
    """Give every feature that fires on none of the latents [N, n] (raw) a new start; returns how many did."""
    folded = objective.folded(sae, inputs).to(latents.device)
    fired = torch.zeros(sae.config.features, dtype=torch.bool, device=latents.device)
    errors = []
    for batch in latents.split(min(4096, rows_at_once(sae.config.features))):
        reconstruction, activations = folded(batch)
        fired |= (activations > 0).any(dim=0)
        errors.append((batch - reconstruction).square().sum(dim=1))
    dead = torch.nonzero(~fired).flatten()
    if len(dead) == 0:
        return 0
    chances = torch.cat(errors).square().cpu()
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.multinomial(chances, len(dead), replacement=True, generator=generator)
    rows = inputs(latents[drawn.to(latents.device)]) - sae.b_dec
    rows = rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)
    living = sae.W_enc[:, fired].norm(dim=0)
    sae.W_dec[dead] = rows
    sae.W_enc[:, dead] = 0.2 * (living.mean() if len(living) else 1.0) * rows.T
    sae.b_enc[dead] = 0.0
    for parameter, chosen in ((sae.W_dec, (dead,)), (sae.W_enc, (slice(None), dead)), (sae.b_enc, (dead,))):
        for moment in ("exp_avg", "exp_avg_sq"):
            if moment in optimizer.state[parameter]:
                optimizer.state[parameter][moment][chosen] = 0.0
    return len(dead)
