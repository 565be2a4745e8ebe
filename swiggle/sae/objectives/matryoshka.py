"""Matryoshka (Bussmann et al. 2025): nested dictionaries, each a prefix of the next, each to reconstruct by itself.

L = mean over prefixes m of ||x - f[:m] W_dec[:m] - b_dec||^2,   f by BatchTopK over the whole dictionary

The first features must be general, because the smallest dictionary has only them; details come later. This keeps a
feature from being split into its combinations with others, which a large dictionary otherwise gains by.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.errors import ConfigError
from swiggle.sae.objective import squared_error
from swiggle.sae.objectives.batch_topk import BatchTopK


class Matryoshka(BatchTopK):
    """For general features first, unsplit."""

    def error(self, activations: Tensor, rows: Tensor, bias: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
        return nested_error(activations, rows, bias, latents, prefix_ends(self.config))


def prefix_ends(config: SAEConfig) -> list[int]:
    """How many features each nested dictionary has, smallest first. Raises `ConfigError` unless the last has all."""
    ends = [round(share * config.features) for share in config.prefixes]
    if not ends or ends[-1] != config.features or any(end <= start for start, end in pairwise([0, *ends])):
        raise ConfigError(f"sae.prefixes: {config.prefixes} must rise, and end at 1, for {config.features} features")
    return ends


def nested_error(
    activations: Tensor, rows: Tensor, bias: Tensor, latents: Tensor, ends: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Mean squared error over the nested dictionaries, and the reconstruction [N, n] by the last."""
    errors, reconstruction, start = [], bias.expand_as(latents), 0
    for end in ends:
        reconstruction = reconstruction + activations[:, start:end] @ rows[start:end]
        errors.append(squared_error(reconstruction, latents))
        start = end
    return torch.stack(errors).mean(), reconstruction
