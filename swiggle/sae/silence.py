"""Features that fell silent, and the auxiliary loss that wakes them (Gao et al. 2024, "Scaling and evaluating sparse
autoencoders", appendix A.2)."""

import torch
from torch import Tensor, nn

from swiggle.sae.workers import any_over_workers, mean_over_workers, worker_count


class Silence(nn.Module):
    """How many samples went by since each feature last fired."""

    since: Tensor

    def __init__(self, features: int, samples_per_pass: int) -> None:
        super().__init__()
        self.samples_per_pass = samples_per_pass
        self.register_buffer("since", torch.zeros(features, dtype=torch.int64))

    @torch.no_grad()
    def saw(self, activations: Tensor) -> None:
        """activations [N, features] of a batch, or of this worker's share of it."""
        fired = any_over_workers((activations > 0).any(dim=0))
        self.since.add_(len(activations) * worker_count()).masked_fill_(fired, 0)

    def dead(self) -> Tensor:
        """bool [features]: silent for a whole pass over the data."""
        return self.since >= self.samples_per_pass


def aux_k_loss(rows: Tensor, preactivations: Tensor, residual: Tensor, dead: Tensor) -> Tensor:
    """How badly the n/2 strongest dead features explain what the living left over, as a share of it.

    Decoder rows [features, n], preactivations [N, features], residual [N, n] = x - x^, which takes no gradient. 0 where
    nothing is dead.
    """
    if residual.device.type == "cpu":
        if not dead.any():
            return residual.new_zeros(())
        rows, preactivations, dead = rows[dead], preactivations[:, dead], dead[dead]
    return torch.where(dead.any(), _unexplained(rows, preactivations, residual, dead), 0.0)


def _unexplained(rows: Tensor, preactivations: Tensor, residual: Tensor, dead: Tensor) -> Tensor:
    """`aux_k_loss` with shapes that do not depend on what is dead, for which a GPU would have to be waited for."""
    residual = residual.detach().float()
    candidates = preactivations.masked_fill(~dead, -torch.inf)
    values, indices = candidates.topk(min(residual.shape[1] // 2, candidates.shape[1]), dim=1)
    chosen = torch.zeros_like(candidates).scatter(1, indices, values.masked_fill(values == -torch.inf, 0.0))
    error = (chosen @ rows).float() - residual
    variation = (residual - mean_over_workers(residual.mean(dim=0))).square().sum()
    return error.square().sum() / mean_over_workers(variation).clamp_min(1e-12)
