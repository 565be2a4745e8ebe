"""Matryoshka with the L1 penalty of April 2024: nested dictionaries, each sparse and each to reconstruct by itself.

L = mean over prefixes m of ( ||x - f[:m] W_dec[:m] - b_dec||^2 + l1 * sum_{i < m} f_i ||W_dec,i|| )

A large L1 dictionary splits features for nothing: "shark head before a warm background" and "before a cool one" cost no
more than "shark head" alone, and then no feature is left for the background. The smallest dictionary has no room for
that, so its features stay whole. Each prefix brings its own penalty: with one penalty over the whole dictionary
instead, the features that only the larger prefixes have would pay in full for a share of the error, and die.
"""

import torch
from torch import Tensor

from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objectives.base import Objective, mean_l0
from swiggle.sae.objectives.matryoshka import nested_error, prefix_ends


class MatryoshkaL1(Objective):
    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float) -> dict[str, Tensor]:
        activations = torch.relu(self.preactivations(sae, latents))
        ends = prefix_ends(self.config)
        error, _ = nested_error(sae, activations, latents, ends)
        total = activations.sum(dim=0, dtype=torch.float32) * sae.W_dec.norm(dim=1) / len(latents)
        sparsity = torch.stack([total[:end].sum() for end in ends]).mean()
        loss = error + self.config.l1 * warmth * sparsity
        return {"loss": loss, "error": error, "sparsity": sparsity, "l0": mean_l0(activations)}
