"""What training through Ray Train costs: images a second against a plain PyTorch loop of the same model and batch.

    python -m benchmarks.train_vae --run runs/demo one      # or two, or checkpoints

Both train at the same time and take turns of five seconds: while the one runs, every process of the other, Ray's own
included, is stopped. So each pair of neighbouring turns sees the machine in the same state, whatever else it does. The
median of the pairs' ratios and a 95% interval of it (order statistics) are printed: `one` for one worker of two
threads, `spare` for one of a thread less than there are cores, against a plain loop of as many, `two` for two workers
of one. `checkpoints` measures what writing and storing one costs by making twenty times
as many as by default. Needs `<run>/data` (`python -m jobs.prepare_data run=runs/demo`).
"""

import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import binom
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmarks.train_memory import descendants
from swiggle.data.palette import palette_of
from swiggle.data.reading import read_pictures
from swiggle.models.vae import VAE
from swiggle.precision import autocast
from swiggle.presets import quick
from swiggle.training.colour_readout import ColourReadout, ReadVAE
from swiggle.training.ema import EVERY, WeightAverage

PALETTE_PICTURES = 4_000
TURN, SETTLE = 5.0, 0.5
"""Seconds of a turn, and those at its beginning that do not count."""
POINT = 10
"""Steps between two readings of the clock."""


def plain_loop(data: Path, threads: int) -> None:
    """The loop that anyone would write in one process, for the same work: readout of colours and moving average
    included. Prints a step and the time of day now and then, until it is stopped."""
    config = quick().vae
    torch.manual_seed(0)
    torch.set_num_threads(threads)
    pictures = read_pictures(data / "train", config.image_size).images
    images = torch.from_numpy(pictures)
    vae = VAE(config)
    palette = palette_of(pictures[:PALETTE_PICTURES], config.colours, config.seed)
    model = ReadVAE(vae, ColourReadout(math.prod(vae.latent_shape), palette)).train()
    average = WeightAverage(vae, config.ema_decay)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.lr, betas=(0.9, 0.99), weight_decay=config.weight_decay, fused=True
    )
    for step in count():
        if step % POINT == 0:
            print(step, time.time(), flush=True)
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
            average.update(vae)


@contextmanager
def job(data: Path, steps: int, *words: str) -> Iterator[tuple[subprocess.Popen, Path]]:
    """A running `python -m jobs.train_vae` and its run directory."""
    with tempfile.TemporaryDirectory(prefix="swiggle-benchmark-") as folder:
        run = Path(folder)
        os.symlink(data.absolute(), run / "data")
        (run / "stages").mkdir()
        shutil.copy(data.parent / "stages/prepare_data.json", run / "stages")
        settings = [f"run={run}", f"vae.steps={steps}", f"vae.checkpoint_every={steps}", *words]  # the last word counts
        with (run / "log").open("w") as log:
            yield subprocess.Popen([sys.executable, "-m", "jobs.train_vae", *settings], stdout=log, stderr=log), run


def measure_ray(data: Path, steps: int, *words: str) -> float:
    """Images a second of `python -m jobs.train_vae`, from its stage record."""
    with job(data, steps, *words) as (running, run):
        finish(running, run)
        return json.loads((run / "stages/train_vae.json").read_text())["metrics"]["images_per_second"]


def finish(running: subprocess.Popen, run: Path) -> None:
    if running.wait():
        raise RuntimeError((run / "log").read_text()[-3000:])


def take_turns(data: Path, steps: int, threads: int, *words: str) -> list[tuple[float, float]]:
    """(steps a second of ours, of the plain loop) for each pair of neighbouring turns."""
    turns: list[tuple[float, float, int]] = []  # start, end, whose
    plain_command = [
        sys.executable,
        "-u",
        "-m",
        "benchmarks.train_vae",
        "plain",
        f"--run={data.parent}",
        f"--threads={threads}",
    ]
    with (
        tempfile.TemporaryFile("w+") as points,
        job(data, steps, *words, f"vae.log_every={POINT}") as (ours, run),
        subprocess.Popen(plain_command, stdout=points) as plain,
    ):
        pair = (ours, plain)
        stop(plain)
        while "images/s" not in (run / "log").read_text() and ours.poll() is None:
            time.sleep(0.1)
        while ours.poll() is None and f"step {steps}/" not in (run / "log").read_text():
            whose = len(turns) % 2
            stop(pair[1 - whose])
            go(pair[whose])
            start = time.time()
            time.sleep(TURN)
            turns.append((start, time.time(), whose))
        go(ours)
        plain.kill()
        finish(ours, run)
        points.seek(0)
        seen = [np.array([line.split() for line in points if line.endswith("\n")], dtype=float)]
        (folder,) = (run / "train_vae").glob("*/events/train")
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
        seen.insert(0, np.array([[event.step, event.wall_time] for event in events.Scalars("train/error")]))
    rates = [rate(seen[whose], start + SETTLE, end) for start, end, whose in turns]
    return list(zip(rates[0::2], rates[1::2], strict=False))


def rate(points: np.ndarray, start: float, end: float) -> float:
    """Steps a second between the first and the last of the points [n, (step, time)] within a turn."""
    inside = points[(points[:, 1] >= start) & (points[:, 1] <= end)]
    return float((inside[-1, 0] - inside[0, 0]) / (inside[-1, 1] - inside[0, 1])) if len(inside) > 1 else float("nan")


def stop(process: subprocess.Popen) -> None:
    _tell(process, signal.SIGSTOP)


def go(process: subprocess.Popen) -> None:
    _tell(process, signal.SIGCONT)


def _tell(process: subprocess.Popen, what: signal.Signals) -> None:
    for pid in descendants(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, what)


def interval_of_median(values: list[float]) -> tuple[float, float]:
    """The narrowest order statistics that hold the true median with 95% certainty (sign test), or the extremes."""
    ordered, count = sorted(values), len(values)
    cut = max(int(binom.ppf(0.025, count, 0.5)) - 1, 0)
    return ordered[cut], ordered[count - 1 - cut]


def compare_with_plain(name: str, data: Path, steps: int, threads: int, *words: str) -> None:
    batch = quick().vae.batch_size
    pairs = [pair for pair in take_turns(data, steps, threads, *words) if not np.isnan(pair).any()]
    for ours, plain in pairs:
        print(f"{name}: {ours * batch:,.0f} images/s, plain loop {plain * batch:,.0f}, ratio {ours / plain:.3f}")
    ratios = [ours / plain for ours, plain in pairs]
    low, high = interval_of_median(ratios)
    print(f"{name}: median ratio {median(ratios):.3f} [{low:.3f}, {high:.3f}] of {len(pairs)} pairs", flush=True)


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
    parser.add_argument("what", nargs="?", default="one", choices=["one", "spare", "two", "checkpoints", "plain"])
    parser.add_argument("--run", type=Path, default=Path("runs/demo"))
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=2, help="of `plain`")
    parser.add_argument("--rounds", type=int, default=3, help="of `checkpoints`")
    options = parser.parse_args()
    data, steps = options.run / "data", options.steps
    if options.what == "one":
        compare_with_plain("1 worker of 2 threads", data, steps, 2, "vae.workers=1")
    elif options.what == "spare":
        threads = max(1, (os.cpu_count() or 2) - 1)
        compare_with_plain(f"1 worker, {threads} threads", data, steps, threads, f"vae.cpus_per_worker={threads}")
    elif options.what == "two":
        compare_with_plain("2 workers of 1 thread", data, steps, 2, "vae.workers=2", "vae.cpus_per_worker=1")
    elif options.what == "checkpoints":
        cost_of_checkpoints(data, options.rounds, steps)
    else:
        plain_loop(data, options.threads)


if __name__ == "__main__":
    main()
