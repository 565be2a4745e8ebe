"""TopK (Gao et al. 2024): exactly the k strongest features of each latent, and nothing that asks for sparsity.

L = mean_x ||x - x^||^2 + aux_weight * E[error] * (share of the rest that dead features do not explain)

The auxiliary term is worth at most a 32nd of the error itself. L0 is what was asked for; every latent gets the same
number of features, however simple it is.
"""

from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.sae.model import SparseAutoencoder, strongest
from swiggle.sae.objectives.base import Objective, mean_l0, squared_error
from swiggle.sae.objectives.dead import Silence, aux_k_loss
from swiggle.sae.workers import mean_over_workers


class TopK(Objective):
    tied_bias = True
    unit_norm = True

    def __init__(self, config: SAEConfig, samples_per_pass: int) -> None:
        super().__init__(config, samples_per_pass)
        self.silence = Silence(config.features, samples_per_pass)

    def forward(self, sae: SparseAutoencoder, latents: Tensor, warmth: float) -> dict[str, Tensor]:
        preactivations = self.preactivations(sae, latents)
        activations = self.select(preactivations)
        error, reconstruction = self.error(sae, activations, latents)
        auxiliary = aux_k_loss(sae, preactivations, latents - reconstruction, self.silence.dead())
        self.silence.saw(activations)
        loss = error + self.config.aux_weight * mean_over_workers(error) * auxiliary
        return {"loss": loss, "error": error, "auxiliary": auxiliary, "l0": mean_l0(activations)}

    def select(self, preactivations: Tensor) -> Tensor:
        """Activations while training: [N, features]."""
        return strongest(preactivations, self.config.k)

    def error(self, sae: SparseAutoencoder, activations: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
        """What is minimised about the reconstruction, and the reconstruction [N, n] in full."""
        reconstruction = sae.decode(activations)
        return squared_error(reconstruction, latents), reconstruction
