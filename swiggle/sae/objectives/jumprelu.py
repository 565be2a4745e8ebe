"""JumpReLU as Anthropic trains it (January 2025 update), after Rajamanoharan et al. 2024: learnt thresholds.

f = z * 1[z > theta],   L = mean_x ( ||x - x^||^2 + l1 * sum_i tanh(4 f_i ||W_dec,i||)
                                     + 3e-6 * sum_i ReLU(theta_i - z_i) ||W_dec,i|| )

tanh asks how many features are active rather than how much, so activations do not shrink; the last term keeps
features from sinking below their thresholds for ever. The jump has no gradient; the estimate spreads it over a
rectangle of width `bandwidth` around the threshold, for the threshold and for what is below it. The weight rises over
the whole run. Thresholds are learnt as they are, not as logarithms, which freeze once they are small.
"""

from typing import Any

import torch
from torch import Tensor, nn

from swiggle.config import SAEConfig
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import Objective, mean_l0, squared_error

STEEPNESS = 4.0
RISING = 3e-6
START = 0.1
"""Thresholds before training."""


class Jump(torch.autograd.Function):
    """z * 1[z > theta], z [N, features], theta [features]."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, theta: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(z, theta)
        ctx.bandwidth = bandwidth
        return torch.where(z > theta, z, 0.0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        z, theta = ctx.saved_tensors
        near = (z - theta).abs() < ctx.bandwidth / 2
        estimate = torch.where(near, gradient * (theta / ctx.bandwidth).to(gradient.dtype), 0.0)
        return torch.where(z > theta, gradient, 0.0) + estimate, -estimate.sum(dim=0, dtype=torch.float32), None


class JumpReLU(Objective):
    """For no shrinkage, and a penalty rather than a count."""

    knob = "l1"
    warms_for_the_whole_run = True

    def __init__(self, config: SAEConfig, samples_per_pass: int) -> None:
        super().__init__(config, samples_per_pass)
        self.theta = nn.Parameter(torch.full((config.features,), START))

    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float | Tensor) -> dict[str, Tensor]:
        z = self.preactivations(sae, latents)
        activations = Jump.apply(z, self.theta, self.config.bandwidth)
        error = squared_error(sae.decode(activations), latents)
        norms = sae.W_dec.norm(dim=1)
        sparsity = torch.tanh(STEEPNESS * activations * norms).sum() / len(latents)
        sunken = (torch.relu(self.theta - z) * norms).sum() / len(latents)
        loss = error + self.config.l1 * warmth * sparsity + RISING * sunken
        return {"loss": loss, "error": error, "sparsity": sparsity, "l0": mean_l0(activations)}

    @torch.no_grad()
    def after_step(self, sae: SparseAutoencoder) -> None:
        super().after_step(sae)
        self.theta.clamp_(min=0.0)

    def threshold(self, sae: SparseAutoencoder) -> Tensor:
        return self.theta
