"""How much memory the training of a dictionary takes, by its number of features.

python -m benchmarks.sae_memory                     # 2,048, 16,384 and 65,536
python -m benchmarks.sae_memory 4096 --objective l1

One epoch on random latents, as many and as wide as those of `make demo`. Each dictionary is trained in a process of its
own, so that its peak is its own.
"""

import argparse
import resource
import subprocess
import sys
import time

import torch

from swiggle.config import Objective, SAEConfig
from swiggle.sae.epochs import train_sae
from swiggle.sae.objectives import objective_names

PICTURES, LATENT_DIM = 40_063, 256


def trained(features: int, objective: Objective) -> str:
    """This process's peak in MiB, how much of it came with the training, and seconds, as a text."""
    latents = torch.randn(PICTURES, LATENT_DIM, generator=torch.Generator().manual_seed(0))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    for _ in train_sae(latents, SAEConfig(objective=objective, features=features, latent_dim=LATENT_DIM, epochs=1)):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{peak >> 10} MiB, {(peak - before) >> 10} of them for training, {time.perf_counter() - start:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=int, nargs="*", default=[2_048, 16_384, 65_536])
    parser.add_argument("--objective", choices=objective_names(), default="matryoshka_l1")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for features in options.features:
        if options.here:
            print(trained(features, options.objective))
            continue
        command = [sys.executable, "-m", "benchmarks.sae_memory", str(features), "--objective", options.objective]
        told = subprocess.run([*command, "--here"], check=True, capture_output=True, text=True).stdout
        print(f"{features:6} {options.objective}: {told.strip()}", flush=True)


if __name__ == "__main__":
    main()
