"""Checkpoints of a training run: whole under their final name or not there, and validated beside the training."""

import json
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch
from pyarrow import fs
from ray.train import Checkpoint

from jobs.cluster import quiet
from jobs.stage import say
from jobs.watch import EventFiles
from swiggle.config import VAEConfig
from swiggle.data.reading import read_pictures
from swiggle.evaluation.reconstruction import reconstruct
from swiggle.models.vae import VAE
from swiggle.storage import absolute, copy_into, is_local, join, local_copy, local_path
from swiggle.training.vae_events import write_validation

SNAPSHOT = "checkpoint_manager_snapshot.json"
"""Ray Train's list of a run's checkpoints, in the run's folder."""


def name_of(step: int) -> str:
    return f"step-{step:09}"


def scratch(run: str) -> Path:
    """A folder to write a checkpoint of the run at `run` in: beside its place, where that is a file system, so that
    storing it is one rename."""
    return Path(tempfile.mkdtemp(prefix=".step-", dir=local_path(run) if is_local(run) else None))


def uploader(run: str) -> Callable[[Checkpoint, str], Checkpoint]:
    """How Ray Train stores what was written in `scratch`: whole under its final name, or not there at all.

    Ray's own way fills the final folder file by file, and a kill leaves half of one there. On object storage the
    files are copied one by one here too, but nothing reads them before Ray lists the checkpoint.
    """

    def upload(checkpoint: Checkpoint, name: str) -> Checkpoint:
        written, uri = Path(checkpoint.path), join(run, name)
        if is_local(uri):
            shutil.rmtree(local_path(uri), ignore_errors=True)
            written.rename(local_path(uri))
        else:
            copy_into(written, uri)
            shutil.rmtree(written)
        filesystem, path = fs.FileSystem.from_uri(absolute(uri))
        return Checkpoint(path, filesystem)

    return upload


def mend(run: str) -> str | None:
    """Make the folder of a killed run fit to go on with.

    What was being written is deleted. Ray writes its list of checkpoints in place, so a kill can leave it cut short,
    and Ray then refuses to go on: such a list is deleted too, and the newest checkpoint's URI is returned, since Ray
    no longer knows of it.
    """
    filesystem, path = fs.FileSystem.from_uri(absolute(run))
    entries = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True))
    for entry in entries:
        if entry.base_name.startswith(".step-"):
            filesystem.delete_dir(entry.path)
    snapshot = f"{path}/{SNAPSHOT}"
    if filesystem.get_file_info(snapshot).type == fs.FileType.NotFound:
        return None
    with filesystem.open_input_stream(snapshot) as file:
        try:
            json.loads(file.read())
            return None
        except ValueError:
            pass
    filesystem.delete_file(snapshot)
    complete = sorted(entry.base_name for entry in entries if entry.base_name.startswith("step-"))
    return join(run, complete[-1]) if complete else None


def remove_all_but(run: str, kept: Collection[str]) -> None:
    """Delete the run's checkpoints that are not named in `kept`: those that Ray lost sight of with its list."""
    filesystem, path = fs.FileSystem.from_uri(absolute(run))
    for entry in filesystem.get_file_info(fs.FileSelector(path)):
        if entry.base_name.startswith("step-") and entry.base_name not in kept:
            filesystem.delete_dir(entry.path)


def validate(checkpoint: Checkpoint, settings: dict[str, Any]) -> dict[str, float]:
    """Score a checkpoint's model on held-out pictures. Runs as a task of its own, so training does not wait for it."""
    quiet()
    config: VAEConfig = settings["config"]
    device = torch.device("cuda" if config.validation_gpus and torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        torch.set_num_threads(1)
    step = int(Path(checkpoint.path).name.removeprefix("step-"))
    with checkpoint.as_directory() as folder:
        vae = VAE.from_pretrained(Path(folder) / "vae").to(device)
    with local_copy(join(settings["data"], "validation")) as folder:
        images = read_pictures(folder, config.image_size, config.validation_pictures).images
    seen = reconstruct(vae, images, device)
    events = EventFiles(join(settings["run"], "events", "validation"))
    write_validation(events.writer, step, seen)
    events.keep()
    psnr, right, kl = seen.scores["psnr"], seen.scores["pixels_within_16"], seen.scores["kl"]
    say("train_vae", f"step {step}: validation {psnr:.2f} dB, {right:.1%} of pixels right, KL {kl:.0f} nats")
    return seen.scores
