"""What a step of VAE training takes: counted, measured here, and worked out for 1 to 64 GPUs.

    python -m benchmarks.train_cost [--preset paper]

Counted: floating point operations of a picture's forward and backward pass, parameters, bytes that workers exchange.
Measured: a step of eight pictures on this machine. Worked out: images a second where each GPU has the preset's batch,
from the milliseconds of such a step on one (`--milliseconds`, by default those of `paper` on an H200, docs/gpu.md) and
an all-reduce over a ring of `--gigabytes` a second and `--microseconds` a hop, of which nothing overlaps with
computing. The last part is arithmetic, not a measurement.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from swiggle.config import VAEConfig
from swiggle.models.vae import to_model
from swiggle.presets import PRESETS
from swiggle.training.vae_loss import vae_loss
from swiggle.training.vae_training import VAETraining

PICTURES = 8
CPU = torch.device("cpu")


def operations_per_picture(training: VAETraining, config: VAEConfig) -> float:
    """Multiplications and additions of a forward and a backward pass."""
    pictures = to_model(np.zeros((1, config.image_size, config.image_size, 3), np.uint8))
    with FlopCounterMode(display=False) as counter:
        reconstruction, posterior = training.vae(pictures, torch.zeros(1, *training.vae.latent_shape))
        vae_loss(reconstruction, pictures, posterior, 0.0)["loss"].backward()
    return counter.get_total_flops()


def seconds_per_step(training: VAETraining, config: VAEConfig, steps: int = 5) -> float:
    images = np.random.default_rng(0).integers(0, 256, (PICTURES, config.image_size, config.image_size, 3), np.uint8)
    training.train_on(images)
    start = time.monotonic()
    for _ in range(steps):
        training.train_on(images)
    return (time.monotonic() - start) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=list(PRESETS), default="paper")
    parser.add_argument("--milliseconds", type=float, default=3.08)
    parser.add_argument("--gigabytes", type=float, default=40.0)
    parser.add_argument("--microseconds", type=float, default=10.0)
    options = parser.parse_args()
    config = PRESETS[options.preset]().vae
    training = VAETraining(replace(config, batch_size=PICTURES), CPU)
    operations = operations_per_picture(training, config)
    parameters = sum(p.numel() for p in training.vae.parameters())
    step = seconds_per_step(training, config)
    print(f"counted: {operations / 1e9:.2f} GFLOP a picture, {parameters / 1e6:.2f}M parameters")
    print(f"counted: {16 * parameters / 1e6:.0f} MB of weights, gradients and optimiser a worker")
    print(f"measured here: {PICTURES / step:.1f} pictures/s, {operations * PICTURES / step / 1e9:.0f} GFLOP/s")
    print(f"each GPU has {config.batch_size} pictures a step, {options.milliseconds} ms")
    print("GPUs  exchange MB  exchange ms  steps/s  images/s  of linear")
    for workers in (1, 2, 4, 8, 16, 32, 64):
        exchanged = 2 * (workers - 1) / workers * 4 * parameters
        exchange = exchanged / (options.gigabytes * 1e9) + 2 * (workers - 1) * options.microseconds * 1e-6
        rate = 1 / (options.milliseconds * 1e-3 + exchange)
        print(
            f"{workers:4}  {exchanged / 1e6:11.1f}  {exchange * 1e3:11.2f}  {rate:7.0f}  "
            f"{rate * workers * config.batch_size:8,.0f}  {rate * options.milliseconds * 1e-3:9.0%}"
        )


if __name__ == "__main__":
    main()
