"""What only a GPU can show: `make test-gpu` on a machine that has one. Other test commands leave it out."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from swiggle.config import SAEConfig, VAEConfig
from swiggle.models.vae import VAE
from swiggle.presets import paper, quick
from swiggle.sae.epochs import train_sae
from swiggle.sae.inputs import Inputs
from swiggle.sae.metrics import dictionary_metrics
from swiggle.sae.objectives import objective_names
from swiggle.sae.trainer import SAETraining
from swiggle.training import feed
from swiggle.training.feed import batches
from swiggle.training.noise import normal
from swiggle.training.order import batch_indices
from swiggle.training.vae_training import VAETraining

pytestmark = pytest.mark.gpu
CPU, GPU = torch.device("cpu"), torch.device("cuda")
SMALL = replace(quick().vae, hidden=64, batch_size=24, steps=60, bf16="never", ema_decay=0.9, lr_warmup_steps=5)
CONV = replace(paper().vae, image_size=32, channels=[8, 16], batch_size=24, steps=60, bf16="never", kl_free_steps=5)
PALETTE = np.random.default_rng(1).integers(0, 256, (16, 3), dtype=np.uint8)
PICTURES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), dtype=np.uint8))


def trained(config: VAEConfig, steps: int, device: torch.device = GPU, wrapped: bool = False) -> VAETraining:
    training = VAETraining(config, device, palette=PALETTE, parallel=alone if wrapped else lambda model: model)
    for batch in batches(PICTURES, device, config.batch_size, range(steps), config.seed):
        seen = training.train_on(batch)
        assert seen.loss.isfinite()
    return training


def alone(model: nn.Module) -> nn.Module:
    return nn.parallel.DistributedDataParallel(model)


def same(one: VAETraining, other: VAETraining, tolerance: float = 0.0) -> None:
    for expected, found in zip(one.result.parameters(), other.result.parameters(), strict=True):
        torch.testing.assert_close(found.cpu(), expected.cpu(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("config", [SMALL, CONV, replace(SMALL, accumulate=3)])
def test_a_replayed_step_is_the_step(config: VAEConfig) -> None:
    same(trained(replace(config, cuda_graph=False), 40), trained(config, 40), 2e-3)


def test_a_card_trains_as_a_cpu_does() -> None:
    same(trained(SMALL, 10, CPU), trained(SMALL, 10), 2e-3)


def test_distributed_data_parallel_is_recorded_too(tmp_path: Path) -> None:
    torch.distributed.init_process_group("nccl", init_method=f"file://{tmp_path}/met", rank=0, world_size=1)
    try:
        same(trained(SMALL, 30), trained(SMALL, 30, wrapped=True), 2e-3)
    finally:
        torch.distributed.destroy_process_group()


def test_noise_is_that_of_the_cpu() -> None:
    drawn = [normal(5, range(70, 80), range(3, 40), 256, device).cpu() for device in (CPU, GPU)]
    torch.testing.assert_close(*drawn, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("fits", [True, False])
def test_batches_are_those_that_the_step_names(fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "fits", lambda device, size: fits)
    for step, batch in zip(range(3, 100), batches(PICTURES, GPU, 24, range(3, 100), 0), strict=True):
        assert batch.device.type == "cuda"
        assert torch.equal(batch.cpu(), PICTURES[torch.from_numpy(batch_indices(step, 24, 200, 0))])


DETERMINISTIC = """
import sys, torch
from pathlib import Path
torch.use_deterministic_algorithms(True)
from tests.test_gpu import *
kind, folder = sys.argv[1], Path(sys.argv[2])
config = {"dense": SMALL, "conv": CONV}[kind]
unbroken = trained(config, 40)
same(unbroken, trained(config, 40))
trained(config, 17).save(folder)
resumed = VAETraining(config, GPU, palette=PALETTE)
resumed.restore(folder)
for batch in batches(PICTURES, GPU, config.batch_size, range(17, 40), config.seed):
    resumed.train_on(batch)
same(unbroken, resumed)
"""


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_a_deterministic_training_resumes_bit_for_bit(kind: str, tmp_path: Path) -> None:
    """In a process of its own, since cuBLAS reads its setting once."""
    environment = {**os.environ, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    command = [sys.executable, "-c", DETERMINISTIC, kind, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("name", objective_names())
def test_a_replayed_step_of_a_dictionary_is_the_step(name: str) -> None:
    latents = torch.randn(2_000, 32, generator=torch.Generator().manual_seed(0))
    config = SAEConfig(objective=name, features=128, latent_dim=32, k=6, epochs=4, batch_size=200, bf16="never")
    found = []
    for device, graph in ((CPU, False), (GPU, False), (GPU, True)):
        training = SAETraining(config, 2_000, Inputs.of(latents, 0.0).to(device))
        if not graph:
            training.replay(capture=False)
        for batch in batches(latents, device, 200, range(40), 0):
            terms = training.train_on(batch)
        found.append((float(terms["loss"]), training.folded().cpu()))
    for loss, _ in found[1:]:
        assert loss == pytest.approx(found[0][0], rel=0.02)


def test_a_dictionary_is_trained_and_measured_where_its_latents_are() -> None:
    latents = torch.randn(2_000, 32, device=GPU)
    config = SAEConfig(features=128, latent_dim=32, epochs=3, batch_size=200, resample=[0.5])
    last = list(train_sae(latents, config))[-1].folded()
    assert last.device.type == "cuda"
    on_card, on_cpu = dictionary_metrics(last, latents.cpu()), dictionary_metrics(last.cpu(), latents.cpu())
    assert on_card["fvu"] == pytest.approx(on_cpu["fvu"], rel=1e-3)


def test_pictures_go_through_a_model_where_it_is(tmp_path: Path) -> None:
    VAE(CONV).save_pretrained(tmp_path)
    here, there = (VAE.from_pretrained(tmp_path, device) for device in (CPU, GPU))
    latents = here.encode_images(PICTURES.numpy())
    np.testing.assert_allclose(there.encode_images(PICTURES.numpy()), latents, atol=2e-2)
    pictures = [vae.decode_images(latents).astype(int) for vae in (here, there)]
    assert np.abs(pictures[0] - pictures[1]).max() <= 3
