"""Training one sparse autoencoder on latents held in memory, for any objective."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.precision import autocast
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objectives import Objective, objective_of
from swiggle.sae.objectives.base import input_scale
from swiggle.sae.resampling import resample
from swiggle.training.order import batch_indices
from swiggle.training.schedule import sae_lr_factor


@dataclass
class Epoch:
    """What a finished epoch leaves: its number (from 1), the means of the loss's terms, and what is needed to go on."""

    number: int
    terms: dict[str, float]
    sae: SparseAutoencoder
    objective: Objective
    optimizer: torch.optim.Optimizer
    scale: float

    def folded(self) -> SparseAutoencoder:
        """The dictionary as it would be kept: on the CPU, a function of raw latents."""
        return self.objective.folded(self.sae, self.scale).cpu()

    def state(self) -> dict[str, Any]:
        """Tensors and numbers only, fit for `torch.save` and a `weights_only` load."""
        return {
            "epoch": self.number,
            "sae": self.sae.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }


def train_sae(latents: Tensor, config: SAEConfig, state: dict[str, Any] | None = None) -> Iterator[Epoch]:
    """Train on latents [N, latent_dim], yielding after each epoch; `state` of an earlier epoch goes on from there.

    The order of the batches depends on the seed alone, so a resumed training ends as an unbroken one would.
    """
    torch.manual_seed(config.seed)
    sae = SparseAutoencoder(config).to(latents.device)
    objective = objective_of(config, len(latents)).to(latents.device)
    objective.after_step(sae)  # rows that are kept at norm 1 begin there
    parameters = [*sae.parameters(), *objective.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=config.lr, betas=(0.9, 0.999), fused=True)
    first = 0
    if state is not None:
        sae.load_state_dict(state["sae"])
        objective.load_state_dict(state["objective"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]

    scale = input_scale(latents)
    batch_size = min(config.batch_size, len(latents))
    steps_per_epoch = len(latents) // batch_size
    steps = config.epochs * steps_per_epoch
    warmup = max(1, round(steps * (1.0 if objective.warms_for_the_whole_run else config.sparsity_warmup_share)))
    resampled = {round(share * config.epochs) for share in config.resample}
    for epoch in range(first, config.epochs):
        if epoch in resampled:
            resample(sae, objective, optimizer, latents, scale, seed=config.seed + epoch)
        totals: dict[str, Tensor] = {}
        for step in range(epoch * steps_per_epoch, (epoch + 1) * steps_per_epoch):
            indices = torch.from_numpy(batch_indices(step, batch_size, len(latents), config.seed))
            batch = latents[indices.to(latents.device)] * scale
            for group in optimizer.param_groups:
                group["lr"] = config.lr * sae_lr_factor(step, steps, config.lr_decay_share)
            with autocast(config.bf16, latents.device):
                terms = objective(sae, batch, min(1.0, (step + 1) / warmup))
            optimizer.zero_grad(set_to_none=True)
            terms["loss"].backward()
            objective.before_step(sae)
            torch.nn.utils.clip_grad_norm_(parameters, config.grad_clip)
            optimizer.step()
            objective.after_step(sae)
            for name, value in terms.items():
                totals[name] = totals.get(name, torch.zeros(())) + value.detach()
        means = {name: (total / steps_per_epoch).item() for name, total in totals.items()}
        yield Epoch(epoch + 1, means, sae, objective, optimizer, scale)
