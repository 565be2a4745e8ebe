"""Training one sparse autoencoder on latents held in memory, for any objective."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.sae.inputs import Inputs
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import whitening_of
from swiggle.sae.resampling import resample
from swiggle.sae.trainer import SAETraining
from swiggle.sae.weak import drop_weak
from swiggle.training.feed import batches


@dataclass
class Epoch:
    """What a finished epoch leaves: its number (from 1), the means of the loss's terms, and what is needed to go on."""

    number: int
    terms: dict[str, float]
    training: SAETraining
    latents: Tensor

    def folded(self) -> SparseAutoencoder:
        """The dictionary as it would be kept, a function of raw latents, on the device that it is trained on."""
        return drop_weak(self.training.folded(), self.latents, self.training.config.weak)

    def state(self) -> dict[str, Any]:
        """Tensors and numbers only, fit for `torch.save` and a `weights_only` load."""
        return self.training.state()


def train_sae(latents: Tensor, config: SAEConfig, state: dict[str, Any] | None = None) -> Iterator[Epoch]:
    """Train on latents [N, latent_dim], yielding after each epoch; `state` of an earlier epoch goes on from there.

    The order of the batches depends on the seed alone, so a resumed training ends as an unbroken one would.
    """
    training = SAETraining(config, len(latents), Inputs.of(latents, whitening_of(config)))
    if state is not None:
        training.restore(state)
    batch_size = min(config.batch_size, len(latents))
    steps = range(training.step, training.steps)
    fed = batches(latents, latents.device, batch_size, steps, config.seed)
    resampled = {round(share * config.epochs) for share in config.resample}
    for epoch in range(training.step // training.steps_per_epoch, config.epochs):
        if epoch in resampled:
            parts = training.sae, training.objective, training.optimizer, training.inputs
            resample(*parts, latents, config.seed + epoch)
        totals: dict[str, Tensor] = {}
        for batch in islice(fed, training.steps_per_epoch):
            terms = {name: value.float() for name, value in training.train_on(batch).items()}
            totals = totals or {name: torch.zeros_like(value) for name, value in terms.items()}
            torch._foreach_add_(list(totals.values()), [terms[name] for name in totals])
        means = {name: (total / training.steps_per_epoch).item() for name, total in totals.items()}
        yield Epoch(epoch + 1, means, training, latents)
