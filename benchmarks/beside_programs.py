"""How much of its speed training keeps while another program uses a core, by what threads do while they wait.

    python -m benchmarks.beside_programs [--pairs 6] [--seconds 5]

For each setting of the environment a process of its own trains the `quick` VAE, two threads at normal niceness, on
pictures made up at random. Turns of `--seconds` alternate: idle, and beside one busy process. Printed are the medians
of steps a second and of the pairs' ratios, busy to idle. Settings take turns as well, so that all see the same machine.
"""

import argparse
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from statistics import median

SETTINGS: dict[str, dict[str, str]] = {
    "as it comes": {},
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "spins 1,000 times": {"GOMP_SPINCOUNT": "1000"},
    "spins 100,000 times": {"GOMP_SPINCOUNT": "100000"},
}
"""What libgomp, which PyTorch's CPU builds use, reads (gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html)."""
THREADS = 2


def train() -> None:
    """Steps for as long as lines come in; each line is a turn's seconds, and is answered with the steps done."""
    import numpy as np
    import torch

    from swiggle.presets import quick
    from swiggle.training.vae_training import VAETraining

    torch.set_num_threads(THREADS)
    config = quick().vae
    random, size = np.random.default_rng(0), config.image_size
    palette = random.integers(0, 256, (config.colours, 3), np.uint8)
    images = random.integers(0, 256, (config.batch_size, size, size, 3), np.uint8)
    training = VAETraining(config, torch.device("cpu"), palette=palette)
    for _ in range(5):
        training.train_on(images)
    print("ready", flush=True)
    for line in sys.stdin:
        end, steps = time.monotonic() + float(line), 0
        while time.monotonic() < end:
            training.train_on(images)
            steps += 1
        print(steps, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with ExitStack() as stack:
        trainers = {}
        for name, environment in SETTINGS.items():
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.beside_programs", "--train"],
                env={**{k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}, **environment},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.callback(process.kill)
            trainers[name] = process
            assert process.stdout
            assert process.stdout.readline() == "ready\n"

        def turn(name: str) -> float:
            process = trainers[name]
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{options.seconds}\n")
            process.stdin.flush()
            return int(process.stdout.readline()) / options.seconds

        idle: dict[str, list[float]] = {name: [] for name in SETTINGS}
        busy: dict[str, list[float]] = {name: [] for name in SETTINGS}
        for _ in range(options.pairs):
            for name in SETTINGS:
                idle[name].append(turn(name))
                other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                try:
                    busy[name].append(turn(name))
                finally:
                    other.kill()
                    other.wait()
    for name in SETTINGS:
        kept = [b / i for b, i in zip(busy[name], idle[name], strict=True)]
        print(
            f"{name}: {median(idle[name]):.2f} steps/s idle, {median(busy[name]):.2f} beside one busy process; "
            f"keeps {median(kept):.2f} ({min(kept):.2f} to {max(kept):.2f})"
        )


if __name__ == "__main__":
    train() if sys.argv[1:] == ["--train"] else main()
