"""Anthropic's L1 objective of April 2024 (transformer-circuits.pub, "Update on how we train SAEs").

L = mean_x ( ||x - x^||^2 + l1 * sum_i f_i ||W_dec,i|| )

The squared error is summed over dimensions, and decoder norms are free: weighting by them takes away the gain from
shrinking activations and growing rows. One knob, which works over its whole range; activations come out too small
(shrinkage), and more sparsity costs more of the rare features than of the common ones.
"""

from torch import Tensor

from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.nested_l1 import begin_rare, nested_l1
from swiggle.sae.objective import Objective


class L1(Objective):
    """For hardly any dead features, and one knob that always works."""

    knob = "l1"

    def begin(self, sae: SparseAutoencoder) -> None:
        begin_rare(sae)

    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float | Tensor) -> dict[str, Tensor]:
        return nested_l1(sae, latents, [self.config.features], self.config.l1 * warmth)
