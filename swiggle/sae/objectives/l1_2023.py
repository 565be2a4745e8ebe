"""The L1 objective of "Towards Monosemanticity" (Bricken et al. 2023): unit decoder rows, one bias tied to both sides.

L = mean_x ( ||x - x^||^2 + l1 * sum_i f_i ),   ||W_dec,i|| = 1,   f = ReLU((x - b_dec) W_enc + b_enc)

Kept as the form most papers compare with; the one of April 2024 trains more steadily.
"""

import torch
from torch import Tensor

from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import Objective, mean_l0, squared_error


class L1UnitNorm(Objective):
    """To compare with papers that use it."""

    knob = "l1"
    tied_bias = True
    unit_norm = True

    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float | Tensor) -> dict[str, Tensor]:
        activations = torch.relu(self.preactivations(sae, latents))
        error = squared_error(sae.decode(activations), latents)
        sparsity = activations.sum(dtype=torch.float32) / len(latents)
        loss = error + self.config.l1 * warmth * sparsity
        return {"loss": loss, "error": error, "sparsity": sparsity, "l0": mean_l0(activations)}
