"""Two workers with half a batch each take the step that one takes with the whole."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from swiggle.config import SAEConfig
from swiggle.sae.inputs import Inputs
from swiggle.sae.objective import whitening_of
from swiggle.sae.objectives import objective_names
from swiggle.sae.trainer import SAETraining
from tests.sae.conftest import synthetic

STEPS = 3


def steps_taken(objective: str, rank: int, workers: int) -> dict[str, torch.Tensor]:
    """Gradients of the last of a few steps, averaged and clipped, and the objective's own state."""
    latents, _ = synthetic([20, 20, 20], dim=48, count=64 * STEPS)
    config = SAEConfig(objective=objective, features=96, latent_dim=48, k=4, epochs=1, batch_size=64, bf16="never")
    # A pass of one batch, so that features count as dead.
    training = SAETraining(config, 64, Inputs.of(latents, whitening_of(config)))
    for step in range(STEPS):
        training.train_on(latents[64 * step : 64 * (step + 1)].chunk(workers)[rank])
    gradients = {name: parameter.grad for name, parameter in training.sae.named_parameters()}
    return {**gradients, **training.objective.state_dict()}


def work(rank: int, workers: int, meeting: str, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=workers)
    torch.save(
        {objective: steps_taken(objective, rank, workers) for objective in objective_names()}, f"{folder}/{rank}.pt"
    )
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, torch.Tensor]]]:
    folder: Path = tmp_path_factory.mktemp("workers")
    mp.spawn(work, (2, f"file://{folder}/meeting", str(folder)), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("objective", objective_names())
def test_two_workers_have_the_gradients_of_one(
    objective: str, of_two: list[dict[str, dict[str, torch.Tensor]]]
) -> None:
    alone = steps_taken(objective, 0, 1)
    for worker in of_two:
        assert worker[objective].keys() == alone.keys()
        torch.testing.assert_close(worker[objective], alone, rtol=1e-5, atol=1e-5)
