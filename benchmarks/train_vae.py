"""What training through Ray Train costs: images a second against a plain PyTorch loop of the same model and batch.

    python -m benchmarks.train_vae --run runs/demo one      # or two, or checkpoints

The two are run one after the other, in processes of their own, in alternating order, each with all cores, and timed
over the second half of their steps; the median of the pairs' ratios and a 95% interval of it (order statistics) are
printed: `one` for one worker of two
threads, `two` for two workers of one. `checkpoints` measures what writing and storing one costs by making twenty times
as many as by default. Needs `<run>/data` (`python -m jobs.prepare_data run=runs/demo`).
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from scipy.stats import binom

from swiggle.data.palette import palette_of
from swiggle.data.reading import read_pictures
from swiggle.models.vae import VAE
from swiggle.precision import autocast
from swiggle.presets import quick
from swiggle.training.colour_readout import ColourReadout, ReadVAE
from swiggle.training.ema import EVERY, averaged

PALETTE_PICTURES = 4_000


def plain_loop(data: Path, steps: int) -> float:
    """Images a second of the loop that anyone would write in one process, for the same work: readout of colours and
    moving average included."""
    config = quick().vae
    torch.manual_seed(0)
    torch.set_num_threads(config.cpus_per_worker)
    pictures = read_pictures(data / "train", config.image_size).images
    images = torch.from_numpy(pictures)
    vae = VAE(config)
    palette = palette_of(pictures[:PALETTE_PICTURES], config.colours, config.seed)
    model = ReadVAE(vae, ColourReadout(math.prod(vae.latent_shape), palette)).train()
    average = averaged(vae, config.ema_decay)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.lr, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
    )
    start = 0.0
    for step in range(steps):
        if step == steps // 2:
            start = time.monotonic()
        batch = images[torch.randint(len(images), (config.batch_size,))].permute(0, 3, 1, 2)
        batch = batch.float().div(127.5).sub(1.0).contiguous(memory_format=torch.channels_last)
        with autocast(config.bf16, torch.device("cpu")):
            reconstruction, posterior, colours = model(batch, torch.randn(config.batch_size, *vae.latent_shape))
        loss = F.mse_loss(reconstruction, batch) + config.kl_weight * posterior.kl().mean()
        loss = loss + config.colour_weight * colours
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
        optimizer.step()
        if (step + 1) % EVERY == 0:
            average.update_parameters(vae)
    return (steps - steps // 2) * config.batch_size / (time.monotonic() - start)


def measure_plain(data: Path, steps: int) -> float:
    command = [sys.executable, "-m", "benchmarks.train_vae", "plain", f"--run={data.parent}", f"--steps={steps}"]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure_ray(data: Path, steps: int, *words: str) -> float:
    """Images a second of `python -m jobs.train_vae`, from its stage record."""
    with tempfile.TemporaryDirectory(prefix="swiggle-benchmark-") as folder:
        run = Path(folder)
        os.symlink(data.absolute(), run / "data")
        (run / "stages").mkdir()
        shutil.copy(data.parent / "stages/prepare_data.json", run / "stages")
        settings = [f"run={run}", f"vae.steps={steps}", f"vae.checkpoint_every={steps}", *words]  # the last word counts
        log = run / "log"
        with log.open("w") as output:
            ended = subprocess.run(
                [sys.executable, "-m", "jobs.train_vae", *settings], stdout=output, stderr=output, check=False
            )
        if ended.returncode:
            raise RuntimeError(log.read_text()[-3000:])
        return json.loads((run / "stages/train_vae.json").read_text())["metrics"]["images_per_second"]


def interval_of_median(values: list[float]) -> tuple[float, float]:
    """The narrowest order statistics that hold the true median with 95% certainty (sign test), or the extremes."""
    ordered, count = sorted(values), len(values)
    cut = max(int(binom.ppf(0.025, count, 0.5)) - 1, 0)
    return ordered[cut], ordered[count - 1 - cut]


def compare_with_plain(name: str, data: Path, pairs: int, steps: int, *words: str) -> None:
    ratios = []
    for pair in range(pairs):
        plain_first = measure_plain(data, steps) if pair % 2 == 0 else None
        ours = measure_ray(data, steps, *words)
        plain = plain_first or measure_plain(data, steps)
        ratios.append(ours / plain)
        print(f"{name}: {ours:,.0f} images/s, plain loop {plain:,.0f}, ratio {ratios[-1]:.3f}", flush=True)
    low, high = interval_of_median(ratios)
    print(f"{name}: median ratio {median(ratios):.3f} [{low:.3f}, {high:.3f}] of {pairs} pairs", flush=True)


def cost_of_checkpoints(data: Path, rounds: int, steps: int) -> None:
    """Seconds a checkpoint adds, and their share of the time at the default interval."""
    config = quick().vae
    often = config.checkpoint_every // 20
    ways = {
        "none": ("vae.validation_pictures=0",),
        "checkpoints": ("vae.validation_pictures=0", f"vae.checkpoint_every={often}"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in list(ways)[:: 1 if turn % 2 else -1]:
            rate = measure_ray(data, steps, *ways[name])
            seconds[name].append(config.batch_size / rate)
            print(f"{name}: {rate:,.0f} images/s", flush=True)
    step = median(seconds["none"])
    made = (steps - 1) // often - steps // 2 // often  # in the steps that are timed
    each = (median(seconds["checkpoints"]) - step) * (steps - steps // 2) / made
    share = each / (each + step * config.checkpoint_every)
    print(f"checkpoints: {each:.3f} s each, {share:.2%} of the time at one in {config.checkpoint_every} steps")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="one", choices=["one", "two", "checkpoints", "plain"])
    parser.add_argument("--run", type=Path, default=Path("runs/demo"))
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    data, pairs, steps = options.run / "data", options.pairs, options.steps
    if options.what == "one":
        compare_with_plain("1 worker of 2 threads", data, pairs, steps, "vae.workers=1")
    elif options.what == "two":
        compare_with_plain("2 workers of 1 thread", data, pairs, steps, "vae.workers=2", "vae.cpus_per_worker=1")
    elif options.what == "checkpoints":
        cost_of_checkpoints(data, pairs, steps)
    else:
        print(plain_loop(data, steps))


if __name__ == "__main__":
    main()
