"""Validations in the training itself, where they decide when it ends.

A module of its own: what a command's own module holds is pickled whole for the workers.
"""

from typing import Any

import torch

from jobs.runtime import checkpoints
from jobs.runtime.stage import say
from swiggle.training.vae_training import VAETraining


class Judge:
    def __init__(self, settings: dict[str, Any], rank: int, workers: int, device: torch.device) -> None:
        self._run, self._rank, self._workers, self._device = settings["run"], rank, workers, device
        self._images = checkpoints.held_out(settings) if rank == 0 else None

    def scores(self, training: VAETraining) -> dict[str, float]:
        """The scores of the model to keep, by the first worker; all workers' patience sees them."""
        scores = {"psnr": 0.0}
        if self._images is not None:
            scores = checkpoints.scored(training.result, training.step, self._images, self._run)
        found = torch.tensor(scores["psnr"], device=self._device)
        if self._workers > 1:
            torch.distributed.broadcast(found, 0)
        assert training.patience is not None  # or there would be nobody to tell
        training.patience.see(float(found))
        if training.over and self._rank == 0 and training.step < training.config.steps:
            say("train_vae", f"step {training.step}: validation improves no more, so training ends here")
        return {**scores, "psnr": float(found)}
