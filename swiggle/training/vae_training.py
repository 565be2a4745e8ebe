"""The training of a VAE as a value: weights, optimiser and step, moved on a batch at a time.

    training = VAETraining(config, torch.device("cpu"))
    while training.step < config.steps:
        training.train_on(images_of(training.step))

Nothing here is distributed. A job passes `parallel` to wrap the model (`DistributedDataParallel`), and the rank and
number of workers, so that each takes its part of the batch's noise and of its mean.
"""

import math
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from swiggle.config import VAEConfig
from swiggle.errors import ConfigError
from swiggle.models.vae import VAE, to_model
from swiggle.precision import autocast
from swiggle.pretrained import ModelError
from swiggle.training import ema
from swiggle.training.colour_readout import ColourReadout, ReadVAE
from swiggle.training.order import worker_share
from swiggle.training.schedule import fall_at_the_end, vae_lr_factor
from swiggle.training.vae_loss import kl_weight, vae_loss

STATE = "training.pt"


@dataclass(frozen=True)
class StepReport:
    """What a step saw, before it moved the weights: means over this worker's share, detached."""

    loss: Tensor
    error: Tensor
    """Squared error a pixel value, values -1 to 1."""
    kl_per_channel: Tensor
    """Nats a picture, [C]."""
    grad_norm: Tensor
    """Of the whole batch, before clipping."""
    lr: float


class VAETraining:
    def __init__(
        self,
        config: VAEConfig,
        device: torch.device,
        rank: int = 0,
        workers: int = 1,
        parallel: Callable[[nn.Module], nn.Module] = lambda model: model,
        palette: np.ndarray | None = None,
    ) -> None:
        """`palette`, uint8 [colours, 3], is what a readout of colours reads. Raises ValueError where the configuration
        asks for a readout and there is no palette."""
        self.config, self.device, self.rank, self.workers = config, device, rank, workers
        self.step = 0
        torch.manual_seed(config.seed)
        self.vae = VAE(config).to(device).train()
        self.average = ema.averaged(self.vae, config.ema_decay) if config.ema_decay else None
        self.result = self.vae if self.average is None else cast(VAE, self.average.module)
        """The model to keep: the average of the weights where there is one, else the weights."""
        readout = None
        if config.colour_weight:
            if palette is None:
                raise ConfigError("vae.colour_weight: a readout of colours needs a palette")
            readout = ColourReadout(math.prod(self.vae.latent_shape), palette)
        self.whole = ReadVAE(self.vae, readout).to(device)
        self.optimizer = torch.optim.AdamW(
            self.whole.parameters(), lr=config.lr, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
        )
        if config.compile:
            self.vae.compile()
        self.model = parallel(self.whole)

    def train_on(self, images: np.ndarray) -> StepReport:
        """One step on this worker's share of the batch, uint8 [n, S, S, 3]."""
        config = self.config
        lr = config.lr * vae_lr_factor(self.step, config.steps, config.lr_warmup_steps, config.lr_decay)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        weight = kl_weight(self.step, config)
        colour_weight = config.colour_weight * fall_at_the_end(self.step, config.steps, config.colour_fade)
        pictures, noise = to_model(images, self.device), self._noise()
        parts = pictures.chunk(config.accumulate)
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for number, (some, its_noise) in enumerate(zip(parts, noise.chunk(config.accumulate), strict=True)):
            # Workers' gradients are averaged, so this makes the sum over all pictures divided by the batch size.
            scale = len(some) * self.workers / config.batch_size
            with self._without_exchange() if number + 1 < len(parts) else nullcontext():
                with autocast(config.bf16, self.device):
                    reconstruction, posterior, colour_error = self.model(some, its_noise)
                losses = vae_loss(reconstruction, some, posterior, weight)
                losses["loss"] = losses["loss"] + colour_weight * colour_error
                (losses["loss"] * scale).backward()
            seen = {**losses, "kl_per_channel": posterior.kl_per_channel().mean(dim=0)}
            for name, value in seen.items():
                sums[name] = sums.get(name, 0.0) + value.detach() * (len(some) / len(pictures))
        grad_norm = nn.utils.clip_grad_norm_(self.whole.parameters(), config.grad_clip)
        self.optimizer.step()
        self.step += 1
        if self.average is not None and self.step % ema.EVERY == 0:
            self.average.update_parameters(self.vae)
        return StepReport(sums["loss"], sums["error"], sums["kl_per_channel"], grad_norm, lr)

    def _noise(self) -> Tensor:
        """This worker's part of the batch's noise, which depends on seed and step alone, like the batch itself."""
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        noise = torch.randn((self.config.batch_size, *self.vae.latent_shape), generator=generator)
        share = worker_share(np.arange(self.config.batch_size), self.rank, self.workers)
        return noise[share].to(self.device)

    def _without_exchange(self) -> AbstractContextManager:
        """Gradients are summed over the workers once a step, in the last part's backward pass."""
        if isinstance(self.model, nn.parallel.DistributedDataParallel):
            return self.model.no_sync()
        return nullcontext()

    def save(self, folder: Path) -> None:
        """Write `vae/` (the model to keep) and `training.pt` (everything else that a later step depends on).

        Batches and noise follow from the seed and the step, so there is no generator's state to keep. Raises
        FloatingPointError, and writes nothing, when a weight is not finite.
        """
        state = self.whole.state_dict()
        broken = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
        if broken:
            raise FloatingPointError(f"training diverged before step {self.step}: {broken[0]} is not finite; lower lr")
        self.result.save_pretrained(folder / "vae")
        torch.save({"step": self.step, "model": state, "optimizer": self.optimizer.state_dict()}, folder / STATE)

    def restore(self, folder: Path) -> None:
        """Go on from what `save` wrote. Raises `ModelError` naming a missing or damaged file."""
        kept = VAE.from_pretrained(folder / "vae")
        if not zipfile.is_zipfile(folder / STATE):
            raise ModelError(f"{folder / STATE}: missing or cut short")
        try:
            state = torch.load(folder / STATE, map_location=self.device, weights_only=True)
        except RuntimeError as error:
            raise ModelError(f"{folder / STATE}: {error}") from error
        self.step = state["step"]
        self.whole.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None:
            self.average.module.load_state_dict(kept.state_dict())
            self.average.n_averaged.fill_(self.step // ema.EVERY)
