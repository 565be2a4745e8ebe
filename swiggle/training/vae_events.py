"""What a person watches while a VAE trains: TensorBoard event files, written during training and read for its report.

tensorboard --logdir runs/demo/train_vae
"""

import math
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from swiggle.models.reconstruction import Reconstruction
from swiggle.training.vae_training import StepReport

Curve = tuple[np.ndarray, np.ndarray]
"""Steps and values."""


def training_psnr(error: float) -> float:
    """dB, from a squared error a pixel value where values go from -1 to 1."""
    return 10 * math.log10(4 / error) if error > 0 else math.inf


def write_step(writer: SummaryWriter, step: int, report: StepReport, images_per_second: float) -> None:
    """The training curves' point at a step."""
    error = float(report.error)
    scalars = {
        "loss": float(report.loss),
        "error": error,
        "psnr": training_psnr(error),
        "kl": float(report.kl_per_channel.sum()),
        "gradient_norm": float(report.grad_norm),
        "lr": report.lr,
        "images_per_second": images_per_second,
    }
    for name, value in scalars.items():
        writer.add_scalar(f"train/{name}", value, step)
    for channel, value in enumerate(report.kl_per_channel.tolist()):
        writer.add_scalar(f"train_kl_channel/{channel}", value, step)


def write_validation(writer: SummaryWriter, step: int, seen: Reconstruction) -> None:
    """Scores, originals above reconstructions, and how each latent channel is distributed."""
    for name, value in seen.scores.items():
        writer.add_scalar(f"validation/{name}", value, step)
    pairs = np.concatenate([np.concatenate(list(row), axis=1) for row in (seen.originals, seen.decoded)], axis=0)
    writer.add_image("validation/originals_above_reconstructions", pairs, step, dataformats="HWC")
    for channel in range(seen.latents.shape[1]):
        values = seen.latents[:, channel]
        writer.add_histogram(f"latent_channel/{channel}", values, step)
        writer.add_scalar(f"latent_mean/{channel}", float(values.mean()), step)
        writer.add_scalar(f"latent_standard_deviation/{channel}", float(values.std()), step)
        writer.add_scalar(f"validation_kl_channel/{channel}", float(seen.kl_per_channel[channel]), step)


def read_curves(folder: Path) -> dict[str, Curve]:
    """Every scalar below a folder of event files. Where a run went over a step again, the later value counts."""
    points: dict[str, dict[int, tuple[float, float]]] = {}
    for file in sorted(folder.rglob("events.out.tfevents.*")):
        events = EventAccumulator(str(file), size_guidance={"scalars": 0}).Reload()
        for name in events.Tags()["scalars"]:
            known = points.setdefault(name, {})
            for event in events.Scalars(name):
                if event.step not in known or event.wall_time >= known[event.step][0]:
                    known[event.step] = (event.wall_time, event.value)
    curves = {}
    for name, known in points.items():
        steps = sorted(known)
        curves[name] = (np.array(steps), np.array([known[step][1] for step in steps]))
    return curves
