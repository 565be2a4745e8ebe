from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from swiggle.config import VAEConfig
from swiggle.errors import ConfigError
from swiggle.training.ema import EVERY, WeightAverage
from swiggle.training.feed import batches
from swiggle.training.order import worker_share
from swiggle.training.pca_start import components_of
from swiggle.training.vae_training import VAETraining
from tests.conftest import free_port

CPU = torch.device("cpu")
CONFIG = VAEConfig(
    image_size=32, encoder="dense", decoder="dense", hidden=16, blocks=1, batch_size=12, steps=40,
    lr=1e-2, bf16="never", kl_free_steps=0, kl_warmup_steps=0, ema_decay=0.9,
)  # fmt: skip


def batch(step: int, size: int = 12) -> np.ndarray:
    return np.random.default_rng(step).integers(0, 256, (size, 32, 32, 3), dtype=np.uint8)


def trained(config: VAEConfig, steps: int) -> VAETraining:
    training = VAETraining(config, CPU)
    while training.step < steps:
        training.train_on(batch(training.step))
    return training


def gradients(training: VAETraining, images: np.ndarray) -> list[torch.Tensor]:
    training.train_on(images)
    return [p.grad.clone() for p in training.vae.parameters() if p.grad is not None]


def test_training_lowers_the_error() -> None:
    training = VAETraining(replace(CONFIG, steps=200), CPU)
    errors = [float(training.train_on(batch(0)).error) for _ in range(60)]
    assert errors[-1] < 0.8 * errors[0]


def test_accumulation_changes_memory_not_the_gradient() -> None:
    whole = gradients(VAETraining(replace(CONFIG, grad_clip=1e9), CPU), batch(0))
    parts = gradients(VAETraining(replace(CONFIG, grad_clip=1e9, accumulate=5), CPU), batch(0))
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_restored_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    unbroken = trained(CONFIG, 40)
    trained(CONFIG, 23).save(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"vae", "training.pt"}
    resumed = VAETraining(CONFIG, CPU)
    resumed.restore(tmp_path)
    assert resumed.step == 23
    while resumed.step < 40:
        resumed.train_on(batch(resumed.step))
    for kept in ("vae", "result"):
        expected = getattr(unbroken, kept).state_dict()
        assert all(torch.equal(v, expected[k]) for k, v in getattr(resumed, kept).state_dict().items())
    assert any(not torch.equal(v, resumed.vae.state_dict()[k]) for k, v in resumed.result.state_dict().items())
    (tmp_path / "training.pt").write_bytes(b"cut short")
    with pytest.raises(ValueError, match=r"training\.pt"):
        resumed.restore(tmp_path)


FEW = replace(
    CONFIG, latent_channels=1, hidden=128, start="pca", learn="refinement", refine=8, patience=3,
    augment=["mirror", "shift", "colours"],
)  # fmt: skip


def few(steps: int) -> VAETraining:
    """A training as of few pictures, validated every 10 steps with scores that never improve."""
    training = VAETraining(FEW, CPU, components=components_of(batch(99), FEW))
    go_on(training, steps)
    return training


def go_on(training: VAETraining, steps: int) -> None:
    while training.step < steps and not training.over:
        training.train_on(batch(training.step))
        if training.step % 10 == 0:
            assert training.patience is not None
            training.patience.see(20.0 - training.step)


def test_a_training_of_few_pictures_ends_in_time_and_is_restored_bit_for_bit(tmp_path: Path) -> None:
    unbroken = few(1_000)
    assert unbroken.step == 40
    few(30).save(tmp_path)
    resumed = VAETraining(FEW, CPU, components=components_of(batch(99), FEW))
    resumed.restore(tmp_path)
    go_on(resumed, 1_000)
    assert (resumed.step, resumed.patience) == (40, unbroken.patience)
    for kept in ("vae", "result"):
        expected = getattr(unbroken, kept).state_dict()
        assert all(torch.equal(v, expected[k]) for k, v in getattr(resumed, kept).state_dict().items())
    unbroken.save(tmp_path)
    resumed.restore(tmp_path)
    assert resumed.over


def test_what_is_held_stays_as_it_began() -> None:
    before, after = few(0).vae.state_dict(), few(20).vae.state_dict()
    moved = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    assert moved == {name for name in after if name.startswith("decoder.refine.")}


@pytest.mark.parametrize("changed", [{"refine": 0}, {"decoder": "conv", "channels": [8, 8], "start": "random"}])
def test_only_a_refinement_that_is_there_can_learn_alone(changed: dict) -> None:
    with pytest.raises(ConfigError, match=r"vae\.learn"):
        VAETraining(replace(FEW, **changed), CPU, components=components_of(batch(99), FEW))


def test_a_start_from_components_needs_them() -> None:
    with pytest.raises(ConfigError, match=r"vae\.start"):
        VAETraining(FEW, CPU)


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    training = trained(CONFIG, 2)
    with torch.no_grad():
        next(training.vae.parameters())[:] = torch.nan
    with pytest.raises(FloatingPointError, match="diverged before step 2"):
        training.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_averaging_the_weights_themselves_are_kept() -> None:
    training = trained(replace(CONFIG, ema_decay=0.0), 3)
    assert training.result is training.vae


def test_the_average_against_the_formula() -> None:
    model = nn.Linear(3, 2)
    average = WeightAverage(model, 0.99)
    expected = None
    for update in range(60):
        with torch.no_grad():
            model.weight.normal_()
        average.update(model)
        kept = min(0.99**EVERY, (1 + update) / (10 + update))
        expected = model.weight.clone() if expected is None else kept * expected + (1 - kept) * model.weight
    torch.testing.assert_close(average.module.weight, expected)


@pytest.mark.parametrize("workers", [2, 5])
def test_shares_of_a_batch_give_the_whole_batchs_gradient(workers: int) -> None:
    """What each of several workers computes, averaged by hand; with five of them the shares are not equal."""
    config = replace(CONFIG, grad_clip=1e9)
    whole = gradients(VAETraining(config, CPU), batch(0))
    shares = [
        gradients(VAETraining(config, CPU, rank, workers), batch(0)[worker_share(np.arange(12), rank, workers)])
        for rank in range(workers)
    ]
    for expected, parts in zip(whole, zip(*shares, strict=True), strict=True):
        torch.testing.assert_close(torch.stack(parts).mean(dim=0), expected, rtol=1e-5, atol=1e-6)


def _ddp_worker(rank: int, port: int, folder: str, workers: int) -> None:
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=workers)
    torch.set_num_threads(1)
    config = replace(CONFIG, grad_clip=1e9, accumulate=2)
    training = VAETraining(config, CPU, rank, workers, nn.parallel.DistributedDataParallel)
    (share,) = batches(torch.from_numpy(batch(0)), CPU, 12, range(1), config.seed, rank, workers)
    training.train_on(share)
    found = [p.grad for p in training.vae.parameters() if p.grad is not None]
    torch.save({"gradients": found, "pictures": share, "noise": training._noise.of(0)}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.integration
@pytest.mark.parametrize("workers", [2, 4])
def test_processes_exchange_the_whole_batchs_gradient(workers: int, tmp_path: Path) -> None:
    """DistributedDataParallel over gloo, with accumulation, where only the last part's backward pass exchanges: the
    gradient, the pictures and the noise of a batch are those of one process."""
    mp.spawn(_ddp_worker, args=(free_port(), str(tmp_path), workers), nprocs=workers)
    training = VAETraining(replace(CONFIG, grad_clip=1e9), CPU)
    (all_of_it,) = batches(torch.from_numpy(batch(0)), CPU, 12, range(1), CONFIG.seed)
    training.train_on(all_of_it)
    whole = [p.grad for p in training.vae.parameters() if p.grad is not None]
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in range(workers)]
    assert torch.equal(torch.cat([part["pictures"] for part in parts]), all_of_it)
    assert torch.equal(torch.cat([part["noise"] for part in parts]), training._noise.of(0))
    for part in parts:
        for found, expected in zip(part["gradients"], whole, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
