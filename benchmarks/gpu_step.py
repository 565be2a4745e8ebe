"""Training steps on a GPU, side by side in one run: a plain loop, the same as a CUDA graph, and ours.

    python -m benchmarks.gpu_step paper --out paper.json        # also: quick, dictionaries
    python -m benchmarks.gpu_step paper --deterministic

The plain loops have pictures and noise on the card and do nothing but learn: what the card can do with these kernels.
Ours is `VAETraining` fed by `swiggle.training.feed`, moving average and readout of colours included where the preset
has them. `dictionaries` trains one dictionary of each objective, and eight at once on streams of their own.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from swiggle.config import SAEConfig, VAEConfig
from swiggle.models.vae import VAE, to_model
from swiggle.presets import PRESETS
from swiggle.sae.inputs import Inputs
from swiggle.sae.objectives import objective_names
from swiggle.sae.trainer import SAETraining
from swiggle.training.algorithms import choose_algorithms
from swiggle.training.feed import batches
from swiggle.training.replay import Replayed
from swiggle.training.vae_training import VAETraining

GPU = torch.device("cuda")
SECONDS = 4.0
WARM = 40
LATENTS, LATENT_DIM = 40_000, 256


def rate(step: Callable[[], object], seconds: float = SECONDS) -> float:
    """Calls a second, once warm."""
    for _ in range(WARM):
        step()
    torch.cuda.synchronize()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for _ in range(20):
            step()
        done += 20
        torch.cuda.synchronize()
    return done / (time.perf_counter() - start)


def pictures() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (40_000, 32, 32, 3), dtype=np.uint8))


def plain(config: VAEConfig, graph: bool) -> float:
    """Images a second of the loop that anyone would write, its step recorded or not."""
    torch.manual_seed(0)
    vae = VAE(config).to(GPU).train()
    pool = pictures().to(GPU)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=config.lr, fused=True, capturable=True)

    def step() -> dict[str, torch.Tensor]:
        chosen = pool[torch.randint(len(pool), (config.batch_size,), device=GPU)]
        x = to_model(chosen, GPU, config.image_size)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            back, posterior = vae(x, torch.randn(config.batch_size, *vae.latent_shape, device=GPU))
        loss = F.mse_loss(back, x) + 1e-6 * posterior.kl().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        return {"loss": loss.detach()}

    return rate(Replayed(step, capture=True) if graph else step) * config.batch_size


def ours(config: VAEConfig) -> float:
    palette = np.random.default_rng(1).integers(0, 256, (config.colours, 3), dtype=np.uint8)
    training = VAETraining(config, GPU, palette=palette)
    fed = batches(pictures(), GPU, config.batch_size, range(10**7), config.seed)
    return rate(lambda: training.train_on(next(fed))) * config.batch_size


def steps(preset: str) -> Iterator[tuple[str, float]]:
    config = replace(PRESETS[preset]().vae, steps=10**7)
    yield "plain loop", plain(config, graph=False)
    yield "plain loop as a CUDA graph", plain(config, graph=True)
    yield "ours", ours(config)
    yield "ours without a CUDA graph", ours(replace(config, cuda_graph=False))
    if config.colour_weight:
        yield "ours without a readout of colours", ours(replace(config, colour_weight=0.0))


def dictionaries() -> Iterator[tuple[str, float]]:
    """Samples a second."""
    latents = torch.randn(LATENTS, LATENT_DIM, device=GPU)
    inputs = Inputs.of(latents, SAEConfig.whitening)

    def begun(name: str, seed: int = 0) -> Callable[[], object]:
        config = SAEConfig(objective=name, epochs=10**4, seed=seed)
        training = SAETraining(config, LATENTS, inputs)
        fed = batches(latents, GPU, config.batch_size, range(training.steps), seed)
        return lambda: training.train_on(next(fed))

    size = SAEConfig().batch_size
    for name in objective_names():
        yield name, rate(begun(name), 2.0) * size
    streams = [torch.cuda.Stream() for _ in range(8)]
    together = [begun(name, seed) for seed, name in enumerate(["l1", "matryoshka_l1"] * 4)]
    turn = count()

    def one_of_them() -> None:
        number = next(turn) % len(together)
        with torch.cuda.stream(streams[number]):
            together[number]()

    yield "eight at once, on streams of one process", rate(one_of_them) * size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("paper", "quick", "dictionaries"))
    parser.add_argument("--deterministic", action="store_true", help="none but deterministic algorithms, ours alone")
    parser.add_argument("--no-cudnn-benchmark", action="store_true", help="convolutions by rule, not by trial")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    choose_algorithms(GPU, 1, asked.deterministic)
    if asked.no_cudnn_benchmark:
        torch.backends.cudnn.benchmark = False
    if asked.deterministic:
        config = replace(PRESETS[asked.what]().vae, steps=10**7)
        measured = iter([("ours, deterministic", ours(config))])
    else:
        measured = dictionaries() if asked.what == "dictionaries" else steps(asked.what)
    found = {}
    for name, value in measured:
        found[name] = value
        print(f"{asked.what}: {name}: {value:,.0f} a second", flush=True)
    if asked.out:
        asked.out.write_text(json.dumps({"card": torch.cuda.get_device_name(), **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
