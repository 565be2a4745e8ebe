"""TopK (Gao et al. 2024): exactly the k strongest features of each latent, and nothing that asks for sparsity.

L = mean_x ||x - x^||^2 + aux_weight * E[error] * (share of the rest that dead features do not explain)

The auxiliary term is worth at most a 32nd of the error itself. L0 is what was asked for; every latent gets the same
number of features, however simple it is.

The paper keeps decoder rows at norm 1. Here norms are free, and features compete by what they add to the
reconstruction, their activation times their norm: a norm is then a gain that a feature learns faster than the many
weights of its encoder, which is worth more than a quarter of the error and some of the dead (docs/sae.md).
"""

import torch.nn.functional as F
from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.sae.model import SparseAutoencoder, strongest
from swiggle.sae.objective import Objective, mean_l0, squared_error
from swiggle.sae.silence import Silence, aux_k_loss
from swiggle.sae.workers import mean_over_workers


class TopK(Objective):
    """Where L0 must be exact for every latent."""

    knob = "k"
    tied_bias = True
    compares_lengths = True

    def __init__(self, config: SAEConfig, samples_per_pass: int) -> None:
        super().__init__(config, samples_per_pass)
        self.silence = Silence(config.features, samples_per_pass)

    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float | Tensor) -> dict[str, Tensor]:
        norms = sae.W_dec.norm(dim=1).clamp_min(1e-12)
        rows = sae.W_dec / norms[:, None]
        preactivations = F.linear(latents - sae.b_dec, (sae.W_enc * norms).T, sae.b_enc * norms)
        activations = self.select(preactivations)
        error, reconstruction = self.error(activations, rows, sae.b_dec, latents)
        auxiliary = aux_k_loss(rows, preactivations, latents - reconstruction, self.silence.dead())
        self.silence.saw(activations)
        loss = error + self.config.aux_weight * mean_over_workers(error) * auxiliary
        return {"loss": loss, "error": error, "auxiliary": auxiliary, "l0": mean_l0(activations)}

    def select(self, preactivations: Tensor) -> Tensor:
        """Of pre-activations times decoder norms, the activations while training: [N, features]."""
        return strongest(preactivations, self.config.k)

    def error(self, activations: Tensor, rows: Tensor, bias: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
        """What is minimised about the reconstruction, and the reconstruction [N, n] in full. rows: of norm 1."""
        reconstruction = F.linear(activations, rows.T, bias)
        return squared_error(reconstruction, latents), reconstruction
