"""Train the VAE with Ray Train: data parallel, checkpointed, resumed after a crash or a kill.

    python -m jobs.train_vae preset=quick run=runs/demo
    python -m jobs.train_vae preset=paper run=/shared/paper vae.workers=8 vae.gpus_per_worker=1
    ray job submit --working-dir . -- python -m jobs.train_vae preset=paper run=/shared/paper

Reads `<run>/data`, keeps checkpoints in `<run>/train_vae`, writes `<run>/vae`. The global batch is the same whatever
the number of workers, and a step's batch and noise depend on nothing but the seed and the step, so a resumed run
continues exactly.
"""

import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import ray.train
import ray.train.torch
import torch
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, LoggingConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from jobs.cluster import connect, quiet
from jobs.stage import Stage, complete, run_command, say
from swiggle.config import RunConfig as SwiggleConfig
from swiggle.config import VAEConfig
from swiggle.data.reading import Pictures, enlarge, read_pictures
from swiggle.evaluation.reconstruction import reconstruction_scores
from swiggle.models.vae import VAE, to_images, to_model
from swiggle.precision import autocast
from swiggle.storage import join, local_copy, publish
from swiggle.training.order import batch_indices, worker_share
from swiggle.training.schedule import vae_lr_factor
from swiggle.training.vae_loss import kl_weight, vae_loss

PROGRESS_SECONDS = 10.0


@torch.inference_mode()
def reconstruct(model: VAE, pictures: Pictures, device: torch.device) -> dict[str, float]:
    """Scores of D(E(x)) on a split, through posterior means."""
    originals, decoded = [], []
    for start in range(0, len(pictures), 256):
        images = enlarge(pictures.images[start : start + 256], model.config.image_size)
        decoded.append(to_images(model.decode(model.encode(to_model(images).to(device)).mean)))
        originals.append(images)
    return reconstruction_scores(np.concatenate(originals), np.concatenate(decoded))


def train_loop_per_worker(settings: dict[str, Any]) -> None:
    """One worker's part of the run."""
    quiet()
    config: VAEConfig = settings["config"]
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    device = ray.train.torch.get_device()
    torch.manual_seed(config.seed)
    if device.type == "cpu":
        torch.set_num_threads(config.cpus_per_worker)

    with local_copy(settings["data"]) as folder:
        train = read_pictures(folder / "train", config.image_size)
        validation = read_pictures(folder / "validation", config.image_size, config.validation_pictures)

    vae = VAE(config).to(device)
    optimizer = torch.optim.AdamW(
        vae.parameters(), lr=config.lr, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
    )
    first = 0
    if checkpoint := ray.train.get_checkpoint():
        with checkpoint.as_directory() as saved:
            vae.load_state_dict(VAE.from_pretrained(Path(saved) / "vae").state_dict())
            state = torch.load(Path(saved) / "optimizer.pt", map_location=device, weights_only=True)
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
        if rank == 0:
            say("train_vae", f"resumed at step {first}")
    model = ray.train.torch.prepare_model(vae.train())

    clock, seen = time.monotonic(), 0
    for step in range(first, config.steps):
        indices = batch_indices(step, config.batch_size, len(train), config.seed)
        pictures = to_model(enlarge(train.images[worker_share(indices, rank, workers)], config.image_size)).to(device)
        # Noise for the whole batch, then this worker's part: the same noise whatever the number of workers.
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        noise = torch.randn((config.batch_size, *vae.latent_shape), generator=generator)
        noise = noise[worker_share(np.arange(config.batch_size), rank, workers)].to(device)

        factor = vae_lr_factor(step, config.steps, config.lr_warmup_steps, config.lr_decay)
        for group in optimizer.param_groups:
            group["lr"] = config.lr * factor
        with autocast(config.bf16, device):
            reconstruction, posterior = model(pictures, noise)
        losses = vae_loss(reconstruction, pictures, posterior, kl_weight(step, config))
        optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
        optimizer.step()

        seen += config.batch_size
        elapsed = time.monotonic() - clock
        if rank == 0 and (elapsed > PROGRESS_SECONDS or step + 1 == config.steps):
            rate = seen / elapsed
            left = (config.steps - step - 1) * config.batch_size / rate
            error, kl = losses["error"].item(), losses["kl"].item()
            say(
                "train_vae",
                f"step {step + 1}/{config.steps}, {rate:,.0f} images/s, squared error {error:.5f}, "
                f"KL {kl:.0f} nats, {left / 60:.1f} min left",
            )
            clock, seen = time.monotonic(), 0
        if (step + 1) % config.checkpoint_every == 0 or step + 1 == config.steps:
            checkpoint_and_report(vae, optimizer, step + 1, validation, rank, device)


def checkpoint_and_report(
    vae: VAE, optimizer: torch.optim.Optimizer, step: int, validation: Pictures, rank: int, device: torch.device
) -> None:
    """Validate and save on rank 0; every rank reports, which keeps them together."""
    if rank != 0:
        ray.train.report({"step": step})
        return
    vae.eval()
    scores = reconstruct(vae, validation, device)
    vae.train()
    say(
        "train_vae",
        f"step {step}: validation {scores['psnr']:.2f} dB, {scores['pixels_within_16']:.1%} of pixels right",
    )
    with tempfile.TemporaryDirectory() as folder:
        vae.save_pretrained(Path(folder) / "vae")
        torch.save({"optimizer": optimizer.state_dict(), "step": step}, Path(folder) / "optimizer.pt")
        ray.train.report({"step": step, **scores}, checkpoint=Checkpoint.from_directory(folder))


def work(config: SwiggleConfig, key: str) -> dict[str, Any]:
    connect()
    vae = config.vae
    trainer = TorchTrainer(
        train_loop_per_worker,
        train_loop_config={"config": vae, "data": join(config.run, "data")},
        scaling_config=ScalingConfig(
            num_workers=vae.workers,
            use_gpu=vae.gpus_per_worker > 0,
            resources_per_worker={"CPU": vae.cpus_per_worker, "GPU": vae.gpus_per_worker},
        ),
        run_config=RunConfig(
            name=key,
            storage_path=join(config.run, "train_vae"),
            failure_config=FailureConfig(max_failures=vae.max_failures),
            checkpoint_config=CheckpointConfig(num_to_keep=2),
            logging_config=LoggingConfig(log_level="WARNING"),
        ),
    )
    try:
        checkpoint = trainer.fit().checkpoint
    except SystemExit as stop:  # Ray Train answers Ctrl-C by aborting the run and leaving the program
        raise KeyboardInterrupt from stop
    if checkpoint is None:
        raise RuntimeError("training ended without a checkpoint")
    with checkpoint.as_directory() as saved, publish(join(config.run, "vae")) as folder:
        shutil.copytree(Path(saved) / "vae", folder, dirs_exist_ok=True)
        trained = VAE.from_pretrained(folder)
    with local_copy(join(config.run, "data")) as data:
        test = read_pictures(data / "test", vae.image_size)
    return {
        "parameters": sum(p.numel() for p in trained.parameters()),
        **reconstruct(trained, test, torch.device("cpu")),
    }


STAGE = Stage("train_vae", ("prepare_data",), lambda c: asdict(c.vae), work)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
