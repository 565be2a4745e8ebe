"""The training of a sparse autoencoder as a value: weights, objective, optimiser and step, moved on a batch at a time.

    training = SAETraining(config, len(latents), Inputs.of(latents, whitening_of(config)))
    while training.step < training.steps:
        training.train_on(share_of_batch(training.step))

With a process group, every worker calls `train_on` with its own equal share of each batch, and all keep the same
weights: gradients are averaged before they are clipped, and what an objective takes of a batch as a whole (dead counts,
the cut of a BatchTopK) is taken over all workers (`swiggle/sae/workers.py`).
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.precision import autocast
from swiggle.sae.inputs import Inputs
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import objective_of
from swiggle.sae.workers import average_gradients, worker_count
from swiggle.training.feed import on
from swiggle.training.replay import Replayed, rate_in_a_tensor, set_rate
from swiggle.training.schedule import fall_at_the_end


class SAETraining:
    def __init__(self, config: SAEConfig, count: int, inputs: Inputs) -> None:
        """`count` latents in the training set, over all workers, which `inputs` was fitted to. It is trained on the
        device of `inputs`."""
        self.config, self.inputs, self.device = config, inputs, inputs.mean.device
        torch.manual_seed(config.seed)
        self.sae = SparseAutoencoder(config, config.decoder_init_norm).to(self.device)
        self.objective = objective_of(config, count).to(self.device)
        self.objective.begin(self.sae)
        self.parameters = [*self.sae.parameters(), *self.objective.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, lr=config.lr, betas=(0.9, 0.999), fused=True)
        self.steps_per_epoch = count // min(config.batch_size, count)
        self.steps = config.epochs * self.steps_per_epoch
        share = 1.0 if self.objective.warms_for_the_whole_run else config.sparsity_warmup_share
        self.warmup = max(1, round(self.steps * share))
        self.step = 0
        self._replayed: Replayed | None = None
        if self.device.type == "cuda" and worker_count() == 1:
            self.replay(capture=True)

    def replay(self, capture: bool) -> None:
        """From here on let steps be replayed from a CUDA graph, or without `capture` be as if they were."""
        self._replayed = Replayed(self._step_of_schedule, capture)
        rate_in_a_tensor(self.optimizer, self.device)

    def train_on(self, latents: Tensor) -> Mapping[str, Tensor]:
        """One step on raw latents [N, latent_dim]; returns the terms of the loss, means over these, detached. On a GPU
        they are to be read before the next step, which overwrites them."""
        lr = self.config.lr * fall_at_the_end(self.step, self.steps, self.config.lr_decay_share)
        warmth = min(1.0, (self.step + 1) / self.warmup)
        self.step += 1
        if self._replayed is not None:
            return self._replayed(latents, on(torch.tensor([lr, warmth]), self.device))
        set_rate(self.optimizer, lr)
        return self._step(latents, warmth)

    def _step_of_schedule(self, latents: Tensor, schedule: Tensor) -> Mapping[str, Tensor]:
        """A step that finds everything that changes in tensors: `schedule` holds the learning rate and the warmth."""
        set_rate(self.optimizer, schedule[0])
        return self._step(latents, schedule[1])

    def _step(self, latents: Tensor, warmth: float | Tensor) -> Mapping[str, Tensor]:
        seen = self.inputs(latents)
        with autocast(self.config.bf16, self.device):
            terms = self.objective(self.sae, seen, warmth)
        self.optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        average_gradients(self.parameters)
        self.objective.before_step(self.sae)
        torch.nn.utils.clip_grad_norm_(self.parameters, self.config.grad_clip)
        self.optimizer.step()
        self.objective.after_step(self.sae)
        return {name: value.detach() for name, value in terms.items()}

    def folded(self) -> SparseAutoencoder:
        """The dictionary as it would be kept, a function of raw latents, on the device that it is trained on."""
        return self.objective.folded(self.sae, self.inputs)

    def state(self) -> dict[str, Any]:
        """Tensors and numbers only, fit for `torch.save` and a `weights_only` load."""
        return {
            "step": self.step,
            "inputs": self.inputs.state(),
            "sae": self.sae.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.inputs = Inputs.from_state(state["inputs"]).to(self.device)
        self.sae.load_state_dict(state["sae"])
        self.objective.load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self._replayed is not None:
            self.replay(self.device.type == "cuda")  # the optimiser has other tensors now
        self.step = state["step"]
