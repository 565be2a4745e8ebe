"""Anthropic's L1 objective of April 2024 (transformer-circuits.pub, "Update on how we train SAEs"). The default.

L = mean_x ( ||x - x^||^2 + l1 * sum_i f_i ||W_dec,i|| )

The squared error is summed over dimensions, and decoder norms are free: weighting by them takes away the gain from
shrinking activations and growing rows. One knob, which works over its whole range; activations come out too small
(shrinkage), and more sparsity costs more of the rare features than of the common ones.
"""

import torch
from torch import Tensor

from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objectives.base import Objective, mean_l0, squared_error


class L1(Objective):
    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float) -> dict[str, Tensor]:
        activations = torch.relu(self.preactivations(sae, latents))
        error = squared_error(sae.decode(activations), latents)
        # The sum over the batch first: no weighted copy of all activations is made, here or in the gradient.
        sparsity = activations.sum(dim=0, dtype=torch.float32) @ sae.W_dec.norm(dim=1) / len(latents)
        loss = error + self.config.l1 * warmth * sparsity
        return {"loss": loss, "error": error, "sparsity": sparsity, "l0": mean_l0(activations)}
