"""Train the VAE with Ray Train: data parallel, checkpointed, validated beside the training, resumed after any kill.

    python -m jobs.train_vae preset=quick run=runs/demo
    python -m jobs.train_vae preset=paper run=/shared/paper vae.workers=8 vae.gpus_per_worker=1
    ray job submit --working-dir . -- python -m jobs.train_vae preset=paper run=/shared/paper
    tensorboard --logdir runs/demo/train_vae

Reads `<run>/data`; keeps checkpoints and TensorBoard's files in `<run>/train_vae/<key>`; writes `<run>/vae`, the
model of the best validation. The global batch is the same whatever the number of workers, and a step's batch and
noise depend on nothing but the seed and the step (and, of streamed pictures, the number of workers), so a resumed run
continues exactly.
"""

import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import ray.train
import ray.train.torch
import torch
from ray.train import (
    Checkpoint,
    CheckpointConfig,
    CheckpointUploadMode,
    DataConfig,
    FailureConfig,
    LoggingConfig,
    RunConfig,
    ScalingConfig,
    ValidationConfig,
    ValidationTaskConfig,
)
from ray.train.torch import TorchTrainer

from jobs import prepare_data
from jobs.runtime import batches, checkpoints
from jobs.runtime.cluster import connect, driver_device, quiet, storage
from jobs.runtime.judge import Judge
from jobs.runtime.progress import Watch
from jobs.runtime.stage import Stage, StageError, complete, run_command, say
from swiggle.atlas.label_move import keep_labelled
from swiggle.config import RunConfig as SwiggleConfig
from swiggle.config import VAEConfig, VAEExecution, without
from swiggle.data.palette import palette_of
from swiggle.data.reading import count_pictures, read_pictures
from swiggle.models.reconstruction import reconstruct
from swiggle.models.vae import VAE
from swiggle.storage import is_local, join, local_copy, local_path, publish
from swiggle.training.algorithms import choose_algorithms
from swiggle.training.allocator import keep_freed_memory
from swiggle.training.pca_start import PICTURES, Components, components_of, latent_dim
from swiggle.training.vae_training import StepReport, VAETraining

GROW_SECONDS = 600.0
"""How often a run on fewer workers than it wants looks for more."""
PALETTE_PICTURES = 4_000
TEST_PICTURES = 5_000
"""Of the test split, how many the final scores are from: a bound on memory."""


def train_loop_per_worker(settings: dict[str, Any]) -> dict[str, float]:
    """One worker's part of the run. Returns `images_per_second` over all workers, from rank 0, or the step at which
    the loss was seen to be infinite or no number, `diverged_at`: starting again would end there again."""
    quiet()
    keep_freed_memory()
    config: VAEConfig = settings["config"]
    context = ray.train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    device = ray.train.torch.get_device()
    choose_algorithms(device, config.cpus_per_worker, config.deterministic)
    start = components(join(settings["data"], "train"), config) if config.start == "pca" else None
    training = VAETraining(config, device, rank, workers, ray.train.torch.prepare_model, settings["palette"], start)
    judge = None if config.patience is None else Judge(settings, rank, workers, device)
    begin(training, settings, rank, judge)

    watch = Watch(config, join(settings["run"], "events", "train"), training.step) if rank == 0 else None
    leaving, speed, saved_at = False, 0.0, time.monotonic()
    for images in worker_batches(settings, device, training, rank, workers):
        seen = training.train_on(images)
        step, last = training.step, training.step == config.steps
        due = last or (step % config.checkpoint_every == 0 and long_since(saved_at, config, workers, device))
        scores = judge.scores(training) if judge and due else None
        if watch:
            watch.step(step, seen)
        if last or step % config.log_every == 0:
            seen = mean_over_workers(seen, len(images) / config.batch_size, workers)
            if watch:
                watch.point(step, seen)
            if not seen.loss.isfinite():
                return {"diverged_at": step}
            # A node that is about to be taken away leaves time for one more checkpoint. All workers ask together.
            if not leaving and ray.train.get_preemption_info() is not None:
                leaving = due = True
                say("train_vae", f"step {step}: a node is about to be taken away; worker {rank} saves what there is")
        if watch and due:
            speed = watch.images_per_second(step)
            watch.events.keep()
        if due:
            save(training, rank, settings["run"], scores)
            saved_at = time.monotonic()
    return {"images_per_second": speed}


def begin(training: VAETraining, settings: dict[str, Any], rank: int, judge: Judge | None) -> None:
    """Go on from the last checkpoint, if there is one."""
    known = ray.train.get_checkpoint()
    if (checkpoint := known or settings["newest"]) is not None:
        with checkpoint.as_directory() as saved:
            training.restore(Path(saved))
        if rank == 0:
            say("train_vae", f"resumed at step {training.step}")
        if known is None:  # Ray's list was lost, and begins again with this one
            announce(training, checkpoint if rank == 0 else None, checkpoint_upload_mode=CheckpointUploadMode.NO_UPLOAD)
    elif judge and training.config.start == "pca":  # what training has to surpass counts as well
        save(training, rank, settings["run"], judge.scores(training))


def worker_batches(
    settings: dict[str, Any], device: torch.device, training: VAETraining, rank: int, workers: int
) -> Iterator[torch.Tensor]:
    """The shares of one worker from the training's step on, until that is over."""
    config: VAEConfig = settings["config"]
    if config.input == "stream":
        shard = ray.train.get_dataset_shard("train")
        given = batches.from_stream(shard, settings["streamed"], config, device, training.step, rank, workers)
    else:
        with local_copy(join(settings["data"], "train")) as folder:
            pictures = read_pictures(folder, config.image_size)
        given = batches.from_memory(pictures, config, device, training.step, rank, workers)
    # A run that was killed between its last checkpoint and its end is over before the first.
    yield from takewhile(lambda _: not training.over, given)


def long_since(saved_at: float, config: VAEConfig, workers: int, device: torch.device) -> bool:
    """Whether the last checkpoint is old enough for another, by the first worker's clock; where validation decides when
    to stop, no clock is asked."""
    if not config.checkpoint_seconds or config.patience is not None:
        return True
    enough = torch.tensor(float(time.monotonic() - saved_at >= config.checkpoint_seconds), device=device)
    if workers > 1:
        torch.distributed.broadcast(enough, 0)
    return bool(enough)


def mean_over_workers(seen: StepReport, share: float, workers: int) -> StepReport:
    """A worker sees its share of a batch; the curves are of the whole of it."""
    if workers == 1:
        return seen
    means = torch.cat([seen.loss[None], seen.error[None], seen.kl_per_channel]) * share
    torch.distributed.all_reduce(means)
    return replace(seen, loss=means[0], error=means[1], kl_per_channel=means[2:])


def save(training: VAETraining, rank: int, run: str, scores: dict[str, float] | None = None) -> None:
    """Write a checkpoint on rank 0 and leave the storing of it to a thread; every rank reports. Without `scores` it is
    validated beside the training."""
    checkpoint = None
    if rank == 0:
        folder = checkpoints.scratch(run)
        training.save(folder)
        checkpoint = Checkpoint.from_directory(folder)
    announce(
        training,
        checkpoint,
        scores,
        checkpoint_dir_name=checkpoints.name_of(training.step),
        checkpoint_upload_mode=CheckpointUploadMode.ASYNC,
        checkpoint_upload_fn=checkpoints.uploader(run),
        delete_local_checkpoint_after_upload=False,  # the uploader does it
    )


def announce(
    training: VAETraining, checkpoint: Checkpoint | None, scores: dict[str, float] | None = None, **storing: Any
) -> None:
    """Tell Ray Train of a checkpoint and its scores, or have it validated; ranks that have none only keep in step."""
    known = scores or {"psnr": 0.0}  # until the validation has said
    ray.train.report(
        {} if checkpoint is None else {"step": training.step, **known},
        checkpoint=checkpoint,
        validation=checkpoint is not None and scores is None and training.config.validation_pictures > 0,
        **storing,
    )


def components(train: str, vae: VAEConfig) -> Components:
    """The principal components of the first pictures."""
    with local_copy(train) as folder:
        return components_of(read_pictures(folder, vae.image_size, PICTURES).images, vae, vae.seed)


def palette(train: str, vae: VAEConfig) -> np.ndarray:
    """The colours of the first pictures, uint8 [colours, 3]."""
    with local_copy(train) as folder:
        return palette_of(read_pictures(folder, vae.image_size, PALETTE_PICTURES).images, vae.colours, vae.seed)


def work(config: SwiggleConfig, key: str) -> dict[str, Any]:
    if is_local(config.run):
        keep_labelled(local_path(config.run))
    streamed = config.vae.input == "stream"
    vae = connect(config, STAGE.name, spare_cpus=2 if streamed else 0).vae
    folder, data = join(config.run, "train_vae", key), join(config.run, "data")
    VAE(vae)  # a model that cannot be is refused here, not in every worker again and again
    if vae.start == "pca":
        latent_dim(vae)
    if vae.patience is not None and (vae.patience < 1 or not vae.validation_pictures):
        raise StageError("vae.patience: it takes a number from 1, and vae.validation_pictures to validate on")
    if vae.validation_pictures and not count_pictures(join(data, "validation")):
        say(STAGE.name, "no validation pictures: the last checkpoint is taken for the best")
        vae = replace(vae, validation_pictures=0, patience=None)
    newest = checkpoints.mend(folder)
    settings = {"config": vae, "run": folder, "data": data, "newest": newest and checkpoints.at(newest)}
    settings["palette"] = palette(join(data, "train"), vae) if vae.colour_weight else None
    datasets = {}
    if streamed:
        datasets["train"], count = batches.stream(join(data, "train"), vae.image_size)
        if count // vae.workers < -(-vae.batch_size // vae.workers):
            raise StageError(
                f"vae.batch_size: {vae.batch_size} is more than the {count} pictures that are streamed; "
                "vae.input=memory takes any number"
            )
        settings["streamed"] = count
    trainer = TorchTrainer(
        train_loop_per_worker,
        train_loop_config=settings,
        datasets=datasets,
        dataset_config=DataConfig(execution_options=batches.stream_options()) if streamed else None,
        scaling_config=ScalingConfig(
            num_workers=vae.workers if vae.min_workers is None else (vae.min_workers, vae.workers),
            use_gpu=bool(vae.gpus_per_worker),
            resources_per_worker={"CPU": vae.cpus_per_worker, "GPU": vae.gpus_per_worker},
            # To grow, the group stops and goes back to its last checkpoint.
            **({} if vae.min_workers is None else {"elastic_resize_monitor_interval_s": GROW_SECONDS}),
        ),
        run_config=RunConfig(
            name=key,
            **storage(join(config.run, "train_vae")),
            failure_config=FailureConfig(max_failures=vae.max_failures),
            # The best is kept by its score, the last because it is the last.
            checkpoint_config=CheckpointConfig(
                num_to_keep=1, checkpoint_score_attribute="psnr", checkpoint_score_order="max"
            ),
            logging_config=LoggingConfig(log_level="WARNING"),
        ),
        validation_config=ValidationConfig(
            fn=checkpoints.validate,
            task_config=ValidationTaskConfig(fn_kwargs={"settings": settings}),
            ray_remote_kwargs={"num_cpus": 0, "num_gpus": vae.validation_gpus},
        ),
    )
    try:
        result = trainer.fit()
    except ray.train.TrainingFailedError as error:
        raise StageError(f"training failed; its checkpoints are kept in {folder}\n{error}") from error
    except SystemExit as stop:  # Ray Train answers Ctrl-C by aborting the run and leaving the program
        raise KeyboardInterrupt from stop
    if "diverged_at" in result.return_value:
        step = result.return_value["diverged_at"]
        raise StageError(f"training diverged before step {step}: the loss is not finite; lower vae.lr")
    if result.checkpoint is None or not result.best_checkpoints:
        raise StageError("training ended without a checkpoint")
    best, scores = result.best_checkpoints[0]
    checkpoints.remove_all_but(folder, {Path(kept.path).name for kept in (best, result.checkpoint)})
    with best.as_directory() as saved, publish(join(config.run, "vae")) as to:
        shutil.copytree(Path(saved) / "vae", to, dirs_exist_ok=True)
        trained = VAE.from_pretrained(to, driver_device(config))
    with local_copy(join(data, "test")) as test:
        images = read_pictures(test, vae.image_size, TEST_PICTURES).images
    if not len(images):
        say(STAGE.name, "no test pictures: scores are left out")
    return {
        "parameters": sum(p.numel() for p in trained.parameters()),
        "best_step": scores["step"],
        **result.return_value,
        **(reconstruct(trained, images).scores if len(images) else {}),
    }


STAGE = Stage("train_vae", (prepare_data.STAGE,), lambda c: without(asdict(c.vae), VAEExecution), work)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
