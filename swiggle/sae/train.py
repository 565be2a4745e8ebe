"""Training one sparse autoencoder on latents held in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.precision import autocast
from swiggle.sae.l1 import input_scale, l1_loss
from swiggle.sae.model import SparseAutoencoder
from swiggle.training.order import batch_indices
from swiggle.training.schedule import sae_lr_factor


@dataclass
class Epoch:
    """What a finished epoch leaves: its number (from 1), the mean loss, and what is needed to go on from it."""

    number: int
    loss: float
    sae: SparseAutoencoder
    optimizer: torch.optim.Optimizer
    scale: float

    def state(self) -> dict[str, Any]:
        """Tensors and numbers only, fit for `torch.save` and a `weights_only` load."""
        return {"epoch": self.number, "sae": self.sae.state_dict(), "optimizer": self.optimizer.state_dict()}


def train_sae(latents: Tensor, config: SAEConfig, state: dict[str, Any] | None = None) -> Iterator[Epoch]:
    """Train on latents [N, latent_dim], yielding after each epoch; `state` of an earlier epoch goes on from there.

    The order of the batches depends on the seed alone, so a resumed training ends as an unbroken one would.
    """
    torch.manual_seed(config.seed)
    sae = SparseAutoencoder(config).to(latents.device)
    optimizer = torch.optim.Adam(sae.parameters(), lr=config.lr, betas=(0.9, 0.999), fused=True)
    first = 0
    if state is not None:
        sae.load_state_dict(state["sae"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]

    scale = input_scale(latents)
    batch_size = min(config.batch_size, len(latents))
    steps_per_epoch = len(latents) // batch_size
    steps = config.epochs * steps_per_epoch
    warmup = max(1, round(steps * config.l1_warmup_share))
    for epoch in range(first, config.epochs):
        total = torch.zeros((), device=latents.device)
        for step in range(epoch * steps_per_epoch, (epoch + 1) * steps_per_epoch):
            indices = torch.from_numpy(batch_indices(step, batch_size, len(latents), config.seed))
            batch = latents[indices.to(latents.device)] * scale
            for group in optimizer.param_groups:
                group["lr"] = config.lr * sae_lr_factor(step, steps, config.lr_decay_share)
            with autocast(config.bf16, latents.device):
                loss = l1_loss(sae, batch, config.l1 * min(1.0, (step + 1) / warmup))["loss"]
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(sae.parameters(), config.grad_clip)
            optimizer.step()
            total += loss.detach()
        yield Epoch(epoch + 1, (total / steps_per_epoch).item(), sae, optimizer, scale)
