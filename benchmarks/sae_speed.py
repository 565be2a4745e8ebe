"""Samples a second of training sparse autoencoders, ours against SAELens, in one run on one machine.

    pip install 'swiggle[peers]'
    python -m benchmarks.sae_speed --run runs/demo            # one dictionary, two threads
    python -m benchmarks.sae_speed --run runs/demo --sweep    # eight L1 values

Same latents, dictionary size, batch and objective (L1 of April 2024). The two take turns, and the median of the ratios
is printed with all of them. SAELens is timed with and without its `autocast`, and its better figure counts. For
`--sweep` ours runs as the job does, two dictionaries at a time with one thread each; SAELens one after the other with
two threads, and also two at a time.
"""

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from swiggle.config import SAEConfig
from swiggle.data.latents import read_latents
from swiggle.sae.epochs import train_sae
from swiggle.training.allocator import keep_freed_memory

L1 = [0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0]
BATCH = 1_024
WARMUP = 10
"""Steps before the clock starts."""


def ours(latents: Tensor, l1: float, steps: int) -> tuple[float, int]:
    """Samples a second after the first epoch, and the samples of all epochs."""
    per_epoch = len(latents) // BATCH
    config = replace(SAEConfig(), l1=l1, epochs=1 + -(-steps // per_epoch), latent_dim=latents.shape[1])
    epochs = train_sae(latents, config)
    next(epochs)
    start = time.monotonic()
    for _ in epochs:
        pass
    epoch = per_epoch * BATCH
    return (config.epochs - 1) * epoch / (time.monotonic() - start), config.epochs * epoch


def saelens(latents: Tensor, l1: float, steps: int, autocast: bool) -> tuple[float, int]:
    """Samples a second of `SAETrainer.fit`, timed from the eleventh batch to the last, and the samples of all."""
    from sae_lens import StandardTrainingSAE, StandardTrainingSAEConfig
    from sae_lens.config import LoggingConfig, SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    asked: list[float] = []

    def batches() -> Iterator[Tensor]:
        while True:
            for rows in torch.randperm(len(latents)).split(BATCH):
                if len(rows) == BATCH:
                    asked.append(time.monotonic())
                    yield latents[rows]

    total = steps + WARMUP
    model = StandardTrainingSAE(
        StandardTrainingSAEConfig(
            d_in=latents.shape[1],
            d_sae=SAEConfig.features,
            l1_coefficient=l1,
            l1_warm_up_steps=total // 20,
            normalize_activations="none",
            decoder_init_norm=0.1,
        )
    )
    config = SAETrainerConfig(
        total_training_samples=total * BATCH,
        train_batch_size_samples=BATCH,
        device="cpu",
        lr=SAEConfig.lr,
        lr_end=SAEConfig.lr / 10,
        lr_scheduler_name="constant",
        lr_warm_up_steps=0,
        lr_decay_steps=total // 5,
        n_restart_cycles=1,
        adam_beta1=0.9,
        adam_beta2=0.999,
        autocast=autocast,
        dead_feature_window=1000,
        feature_sampling_window=2000,
        n_checkpoints=0,
        checkpoint_path=None,
        save_final_checkpoint=False,
        logger=LoggingConfig(log_to_wandb=False),
    )
    SAETrainer(config, model, data_provider=batches()).fit()
    ended = time.monotonic()
    return steps * BATCH / (ended - asked[WARMUP]), total * BATCH


def work(kind: str, run: str, l1: float, steps: int, threads: int) -> tuple[float, int]:
    """One dictionary in this process. Returns samples a second, and samples."""
    keep_freed_memory()  # as the job does; it helps both
    torch.set_num_threads(threads)
    latents = torch.from_numpy(read_latents(Path(run) / "latents", "train")[1])
    return ours(latents, l1, steps) if kind == "ours" else saelens(latents, l1, steps, kind == "saelens-autocast")


def sweep(kind: str, run: str, steps: int, processes: int) -> float:
    """Samples a second over eight dictionaries, `processes` at a time: reading latents counts, imports do not."""
    threads = max(1, (os.cpu_count() or 2) // processes)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(
            pool.map(
                work, [kind] * processes, [run] * processes, [1.0] * processes, [5] * processes, [threads] * processes
            )
        )
        start = time.monotonic()
        done = list(pool.map(work, *zip(*[(kind, run, l1, steps, threads) for l1 in L1], strict=True)))
        return sum(samples for _, samples in done) / (time.monotonic() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="runs/demo")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    # (name, processes at a time)
    ways = [("ours", 2), ("saelens", 1), ("saelens", 2), ("saelens-autocast", 1)] if options.sweep else [
        ("ours", 1), ("saelens", 1), ("saelens-autocast", 1)
    ]  # fmt: skip
    ratios = []
    for pair in range(options.pairs):
        rates = {}
        for kind, processes in ways if pair % 2 else ways[::-1]:
            if options.sweep:
                rates[kind, processes] = sweep(kind, options.run, options.steps, processes)
            else:
                rates[kind, processes], _ = work(kind, options.run, 1.0, options.steps, os.cpu_count() or 2)
        mine = rates[ways[0]]
        theirs = max(rate for way, rate in rates.items() if way[0] != "ours")
        ratios.append(mine / theirs)
        listed = ", ".join(f"{kind} x{processes} {rate:,.0f}" for (kind, processes), rate in rates.items())
        print(f"samples/s: {listed}; ratio to their best {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {median(ratios):.2f} of {len(ratios)}, {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
