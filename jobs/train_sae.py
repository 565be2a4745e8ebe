"""Train one sparse autoencoder on latents streamed from Parquet, by any number of workers, where a sweep has no room.

    python -m jobs.train_sae run=runs/demo sae.objective=matryoshka_l1 sae.l1=0.5 train_sae.workers=2
    python -m jobs.train_sae run=s3://bucket/run train_sae.workers=8 train_sae.gpus_per_worker=1
    ray job submit --working-dir . -- python -m jobs.train_sae run=/shared/run sae.features=65536 train_sae.workers=8

Reads `<run>/latents`; keeps checkpoints in `<run>/train_sae/<key>`; writes `<run>/train_sae/dictionary`, to be opened
with `SparseAutoencoder.from_pretrained`. With `dictionary=train_sae` the stages after it interpret and seal it in place
of a sweep's choice.

Ray Data streams the latents, so no machine holds all of them. The map of the inputs is of all latents, gradients are
averaged over the workers, and dead counts are theirs together, so that the dictionary is that of one training with the
whole batch. What a batch holds depends on the seed, the epoch and the number of workers. A killed training goes on from
the last checkpoint with the same command.
"""

import tempfile
from dataclasses import asdict, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import ray.data
import ray.train
import ray.train.torch
import torch
from ray.data import DataIterator, Dataset
from ray.train import Checkpoint, CheckpointConfig, DataConfig, FailureConfig, LoggingConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from jobs import encode_latents, prepare_data, train_vae
from jobs.runtime.batches import stream_options
from jobs.runtime.cluster import connect, quiet, read_rows, storage
from jobs.runtime.stage import Stage, StageError, complete, run_command, say
from swiggle.config import RunConfig as SwiggleConfig
from swiggle.config import SAEConfig, TrainSAEConfig, TrainSAEExecution, without
from swiggle.data.latents import of_split, vary
from swiggle.sae.inputs import Inputs, Moments, moments_of, whitens
from swiggle.sae.metrics import dictionary_metrics
from swiggle.sae.model import SparseAutoencoder
from swiggle.sae.objective import whitening_of
from swiggle.sae.trainer import SAETraining
from swiggle.sae.weak import drop_weak
from swiggle.sae.workers import mean_over_workers
from swiggle.storage import join, publish
from swiggle.training.allocator import keep_freed_memory

SOME = 20_000
"""Latents of a split that the finished dictionary is measured on: a bound on memory."""
MEASURED = 8_192
"""Latents whose moments are taken at once."""


def stream(uri: str, split: str) -> Dataset:
    """The latents of a split, as they are needed: a column `latent`, float32 [latent_dim]."""

    def latents_of(batch: pa.Table) -> dict[str, np.ndarray]:
        rows = of_split(batch, split)
        flat = [chunk.flatten().to_numpy() for chunk in rows["latent"].chunks]
        length = rows.schema.field("latent").type.list_size
        return {"latent": np.concatenate([np.empty(0, np.float32), *flat]).reshape(-1, length)}

    files = len(read_rows(uri).input_files())
    # A block a file, or Ray would choose by the size of the cluster, and the blocks decide what is drawn.
    return read_rows(uri, override_num_blocks=files).map_batches(latents_of, batch_format="pyarrow")


def moments(latents: Dataset, whitening: float) -> Moments:
    """Of all latents, in one pass."""
    whole = whitens(len(latents.take(1)[0]["latent"]), whitening)

    def measure(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = moments_of(batch["latent"], whole)
        return {"count": np.array([found.count]), "mean": found.mean[None], "covariance": found.covariance[None]}

    # A line a batch: Ray Data's own aggregation starts a shuffle, half a minute for this.
    rows = latents.map_batches(measure, batch_size=MEASURED).iter_rows()
    return reduce(add, (Moments(int(row["count"]), row["mean"], row["covariance"]) for row in rows))


def train_loop_per_worker(settings: dict[str, Any]) -> None:
    """One worker's part. Rank 0 leaves a checkpoint every `sae.checkpoint_every` epochs and after the last."""
    quiet()
    keep_freed_memory()
    config: SAEConfig = settings["config"]
    how: TrainSAEConfig = settings["how"]
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    device = ray.train.torch.get_device()
    if device.type == "cpu":
        torch.set_num_threads(how.cpus_per_worker)
    share = config.batch_size // workers
    # Every worker is given equally many, so the last few of the stream may be left out.
    training = SAETraining(config, settings["count"] // workers * workers, settings["inputs"].to(device))
    if (checkpoint := ray.train.get_checkpoint()) is not None:
        with checkpoint.as_directory() as saved:
            training.restore(torch.load(Path(saved) / "training.pt", map_location=device, weights_only=True))
        if rank == 0:
            say("train_sae", f"resumed after epoch {training.step // training.steps_per_epoch}")
    shard = ray.train.get_dataset_shard("train")
    for epoch in range(training.step // training.steps_per_epoch, config.epochs):
        terms = train_epoch(training, shard, share, how.shuffle_buffer, epoch)
        if rank == 0:
            shown = ", ".join(f"{name} {value:.4g}" for name, value in terms.items())
            say("train_sae", f"epoch {epoch + 1}/{config.epochs}: {shown}")
        if (epoch + 1) % config.checkpoint_every == 0 or epoch + 1 == config.epochs:
            with tempfile.TemporaryDirectory() as folder:
                if rank == 0:
                    torch.save(training.state(), Path(folder) / "training.pt")
                    training.folded().save_pretrained(Path(folder) / "sae")
                ray.train.report({"epoch": epoch + 1}, Checkpoint.from_directory(folder) if rank == 0 else None)


def train_epoch(training: SAETraining, shard: DataIterator, share: int, buffer: int, epoch: int) -> dict[str, float]:
    """Every batch of an epoch, `share` latents of each for this worker; the mean terms over all workers."""
    batches = shard.iter_torch_batches(
        batch_size=share,
        dtypes=torch.float32,
        device=str(training.device),
        drop_last=True,
        local_shuffle_buffer_size=buffer,
        local_shuffle_seed=training.config.seed * 1_000_003 + epoch,
    )
    totals: dict[str, torch.Tensor] = {}
    for _, batch in zip(range(training.steps_per_epoch), batches, strict=False):
        for name, value in training.train_on(batch["latent"]).items():
            totals[name] = totals.get(name, torch.zeros((), device=training.device)) + value
    return {name: mean_over_workers(total).item() / training.steps_per_epoch for name, total in totals.items()}


def work(config: SwiggleConfig, key: str) -> dict[str, Any]:
    how = config.train_sae
    if config.sae.batch_size % how.workers:
        raise StageError(f"sae.batch_size: {config.sae.batch_size} cannot be shared evenly by {how.workers} workers")
    if config.sae.resample:
        raise StageError("sae.resample: looks for dead features in all latents at once, which a stream does not hold")
    how = connect(config, STAGE.name, spare_cpus=2).train_sae
    latents = join(config.run, "latents")
    train = stream(latents, "train")
    whitening = whitening_of(config.sae)
    seen = moments(train, whitening)
    if seen.count < config.sae.batch_size:
        raise StageError(f"sae.batch_size: {config.sae.batch_size} is more than the {seen.count} latents there are")
    sae = replace(config.sae, latent_dim=len(seen.mean))
    trainer = TorchTrainer(
        train_loop_per_worker,
        train_loop_config={"config": sae, "how": how, "count": seen.count, "inputs": Inputs.fit(seen, whitening)},
        datasets={"train": train},
        dataset_config=DataConfig(execution_options=stream_options()),
        scaling_config=ScalingConfig(
            num_workers=how.workers,
            use_gpu=bool(how.gpus_per_worker),
            resources_per_worker={"CPU": how.cpus_per_worker, "GPU": how.gpus_per_worker},
        ),
        run_config=RunConfig(
            name=key,
            **storage(join(config.run, "train_sae")),
            failure_config=FailureConfig(max_failures=how.max_failures),
            checkpoint_config=CheckpointConfig(num_to_keep=1),
            logging_config=LoggingConfig(log_level="WARNING"),
        ),
    )
    try:
        result = trainer.fit()
    except ray.train.TrainingFailedError as error:
        raise StageError(
            f"training failed; its checkpoints are kept in {config.run}/train_sae/{key}\n{error}"
        ) from error
    except SystemExit as stop:  # Ray Train answers Ctrl-C by aborting the run and leaving the program
        raise KeyboardInterrupt from stop
    if result.checkpoint is None:
        raise StageError("training ended without a checkpoint")
    with result.checkpoint.as_directory() as saved, publish(join(config.run, "train_sae", "dictionary")) as to:
        trained = SparseAutoencoder.from_pretrained(Path(saved) / "sae")
        drop_weak(trained, some_of(latents, "train"), sae.weak).save_pretrained(to)
    return {**scores(trained, latents, "test"), "validation": scores(trained, latents, "validation")}


def scores(trained: SparseAutoencoder, latents: str, split: str) -> dict[str, Any]:
    held_out = some_of(latents, split)
    if not vary(held_out.numpy()):
        say(STAGE.name, f"too few {split} pictures to score on; scores are left out")
        return {}
    return dictionary_metrics(trained, held_out)


def some_of(latents: str, split: str) -> torch.Tensor:
    """The first latents of a split [n, latent_dim]."""
    return torch.from_numpy(np.array([row["latent"] for row in stream(latents, split).take(SOME)]))


STAGE = Stage(
    "train_sae",
    (prepare_data.STAGE, train_vae.STAGE, encode_latents.STAGE),
    lambda c: {"sae": asdict(c.sae), **without(asdict(c.train_sae), TrainSAEExecution)},
    work,
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
