"""Matryoshka with the L1 penalty of April 2024: nested dictionaries, each sparse and each to reconstruct by itself.

L = mean over prefixes m of ( ||x - f[:m] W_dec[:m] - b_dec||^2 + l1 * sum_{i < m} f_i ||W_dec,i|| )

A large L1 dictionary splits features for nothing: "shark head before a warm background" and "before a cool one" cost no
more than "shark head" alone, and then no feature is left for the background. The smallest dictionary has no room for
that, so its features stay whole. Each prefix brings its own penalty: with one penalty over the whole dictionary
instead, the features that only the larger prefixes have would pay in full for a share of the error, and die.
"""

from torch import Tensor

from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.nested_l1 import begin_rare, nested_l1
from swiggle.sae.objective import Objective
from swiggle.sae.objectives.matryoshka import prefix_ends


class MatryoshkaL1(Objective):
    """For one feature for one thing: what `make demo` takes."""

    knob = "l1"

    def begin(self, sae: SparseAutoencoder) -> None:
        begin_rare(sae)

    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float | Tensor) -> dict[str, Tensor]:
        return nested_l1(sae, latents, prefix_ends(self.config), self.config.l1 * warmth)
