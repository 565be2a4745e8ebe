"""The training of a VAE as a value: weights, optimiser and step, moved on a batch at a time.

    training = VAETraining(config, torch.device("cpu"))
    while training.step < config.steps:
        training.train_on(images_of(training.step))

Nothing here is distributed. A job passes `parallel` to wrap the model (`DistributedDataParallel`), and the rank and
number of workers, so that each takes its part of the batch's noise and of its mean.
"""

import math
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from swiggle.config import VAEConfig
from swiggle.errors import ConfigError
from swiggle.models.vae import VAE, to_model
from swiggle.precision import autocast
from swiggle.pretrained import ModelError
from swiggle.training.augmentation import Augmentation
from swiggle.training.colour_readout import ColourReadout, ReadVAE
from swiggle.training.ema import EVERY, WeightAverage
from swiggle.training.feed import on
from swiggle.training.noise import BatchNoise
from swiggle.training.order import worker_rows
from swiggle.training.patience import Patience
from swiggle.training.pca_start import Components, begin_as, hold
from swiggle.training.replay import WARM_UP, Replayed, rate_in_a_tensor, set_rate
from swiggle.training.schedule import fall_at_the_end, vae_lr_factor
from swiggle.training.vae_loss import kl_weight, vae_loss

STATE = "training.pt"
WARM_UP_TOGETHER = 11
"""Steps before the recording with DistributedDataParallel, which in its first ten settles how to exchange gradients."""


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
        components: Components | None = None,
    ) -> None:
        """`palette`, uint8 [colours, 3], is what a readout of colours reads; `components` are what a model with
        `vae.start=pca` begins as. Raises `ConfigError` where the configuration asks for one that is not given."""
        self.config, self.device, self.rank, self.workers = config, device, rank, workers
        self.step = 0
        torch.manual_seed(config.seed)
        self.vae = VAE(config).to(device).train()
        if config.start == "pca":
            if components is None:
                raise ConfigError("vae.start: pca needs the components of the pictures")
            begin_as(self.vae, components)
        if config.learn == "refinement":
            hold(self.vae)
        self.patience = None if config.patience is None else Patience(config.patience)
        self.average = WeightAverage(self.vae, config.ema_decay) if config.ema_decay else None
        self.result = self.vae if self.average is None else self.average.module
        """The model to keep: the average of the weights where there is one, else the weights."""
        readout = None
        if config.colour_weight:
            if palette is None:
                raise ConfigError("vae.colour_weight: a readout of colours needs a palette")
            readout = ColourReadout(math.prod(self.vae.latent_shape), palette)
        self.whole = ReadVAE(self.vae, readout).to(device)
        self.optimizer = torch.optim.AdamW(
            [p for p in self.whole.parameters() if p.requires_grad],
            lr=config.lr,
            betas=(0.9, 0.99),
            weight_decay=config.weight_decay,
            fused=True,
        )
        if config.compile:
            self.vae.compile()
        self._stream: torch.cuda.Stream | None = None
        if config.cuda_graph and device.type == "cuda":
            self._stream = torch.cuda.Stream()
            self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):  # of none, nothing
            self.model = parallel(self.whole)
        rows = worker_rows(config.batch_size, rank, workers)
        self._noise = BatchNoise(config.seed, rows, self.vae.latent_shape, device)
        self._augmentation = Augmentation(config.augment, config.augment_share, config.seed, rows, device)
        self._replayed: Replayed | None = None
        if self._stream is not None:
            self.replay(capture=True)

    @property
    def over(self) -> bool:
        """Whether validation says that more steps are of no use."""
        return self.patience is not None and self.patience.over

    def replay(self, capture: bool) -> None:
        """From here on let steps be replayed from a CUDA graph, or without `capture` be as if they were."""
        warm_up = WARM_UP if self.model is self.whole else WARM_UP_TOGETHER
        self._replayed = Replayed(self._step_of_schedule, capture, warm_up, self._stream)
        rate_in_a_tensor(self.optimizer, self.device)

    def train_on(self, images: np.ndarray | Tensor) -> StepReport:
        """One step on this worker's share of the batch, uint8 [n, s, s, 3], s the model's size or a divisor of it. On a
        GPU the report is to be read before the next step, which overwrites it."""
        config = self.config
        lr = config.lr * vae_lr_factor(self.step, config.steps, config.lr_warmup_steps, config.lr_decay)
        weight = kl_weight(self.step, config)
        colour_weight = config.colour_weight * fall_at_the_end(self.step, config.steps, config.colour_fade)
        given = images if isinstance(images, Tensor) else torch.tensor(images, device=self.device)
        pictures = self._augmentation.of(given, self.step)
        noise = self._noise.of(self.step)
        if self._replayed is None:
            set_rate(self.optimizer, lr)
            seen = self._step(pictures, noise, weight, colour_weight)
        else:
            seen = self._replayed(pictures, noise, on(torch.tensor([lr, weight, colour_weight]), self.device))
        self.step += 1
        if self.average is not None and self.step % EVERY == 0:
            self.average.update(self.vae)
        return StepReport(seen["loss"], seen["error"], seen["kl_per_channel"], seen["grad_norm"], lr)

    def _step_of_schedule(self, images: Tensor, noise: Tensor, schedule: Tensor) -> Mapping[str, Tensor]:
        """A step that finds everything that changes in tensors: `schedule` holds the learning rate and the weights."""
        set_rate(self.optimizer, schedule[0])
        return self._step(images, noise, schedule[1], schedule[2])

    def _step(
        self, images: Tensor, noise: Tensor, weight: float | Tensor, colour_weight: float | Tensor
    ) -> Mapping[str, Tensor]:
        config = self.config
        pictures = to_model(images, self.device, config.image_size)
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
        return {**sums, "grad_norm": grad_norm}

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
        known = {"step": self.step, "model": state, "optimizer": self.optimizer.state_dict()}
        if self.patience is not None:
            known["patience"] = self.patience.state()
        torch.save(known, folder / STATE)

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
        if self.patience is not None:
            self.patience = Patience(**{**state["patience"], "allowed": self.patience.allowed})
        self.whole.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self._replayed is not None:
            self.replay(self.device.type == "cuda")  # the optimiser has other tensors now
        if self.average is not None:
            self.average.module.load_state_dict(kept.state_dict())
            self.average.updates = self.step // EVERY
