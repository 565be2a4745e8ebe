"""Checkpoints of a training run: whole under their final name or not there, and validated beside the training."""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pyarrow import fs
from ray.train import Checkpoint

# Ray Train's list of a run's checkpoints, in the run's folder. Private: pyproject.toml pins Ray to the minor version.
from ray.train.v2._internal.constants import CHECKPOINT_MANAGER_SNAPSHOT_FILENAME as SNAPSHOT

from jobs.runtime.cluster import granted_device, quiet
from jobs.runtime.progress import EventFiles
from jobs.runtime.prometheus import Gauges, run_of
from jobs.runtime.stage import say
from swiggle.config import VAEConfig
from swiggle.data.reading import read_pictures
from swiggle.models.reconstruction import reconstruct
from swiggle.models.vae import VAE
from swiggle.storage import StorageError, copy_into, filesystem_of, is_local, join, local_copy, local_path, read_json
from swiggle.training.vae_events import write_validation
from swiggle.training.vae_training import STATE

FILES = (STATE, "vae/config.json", "vae/model.safetensors")


def name_of(step: int) -> str:
    return f"step-{step:09}"


def at(uri: str) -> Checkpoint:
    """The stored checkpoint at a URI."""
    filesystem, path = filesystem_of(uri)
    return Checkpoint(path, filesystem)


def scratch(run: str) -> Path:
    """A folder on this machine's own disk to write a checkpoint of the run at `run` in: beside its place where that is
    on the same disk, so that storing it is one rename."""
    beside = is_local(run) and os.stat(local_path(run)).st_dev == os.stat(tempfile.gettempdir()).st_dev
    folder = Path(tempfile.mkdtemp(prefix=".step-", dir=local_path(run) if beside else None))
    folder.chmod(0o755)
    return folder


def uploader(run: str) -> Callable[[Checkpoint, str], Checkpoint]:
    """How Ray Train's thread stores what was written in `scratch`: whole under its final name, or not there at all.

    Ray's own way fills the final folder file by file, and a kill leaves half of one there. Object storage has no
    rename, so there a folder counts once it has all its `FILES`.
    """

    def upload(checkpoint: Checkpoint, name: str) -> Checkpoint:
        written, uri = Path(checkpoint.path), join(run, name)
        if is_local(uri):
            target = local_path(uri)
            whole = written
            if written.parent != target.parent:
                whole = Path(shutil.copytree(written, target.parent / f".{name}", dirs_exist_ok=True))
            shutil.rmtree(target, ignore_errors=True)
            whole.rename(target)
        else:
            copy_into(written, uri)
        shutil.rmtree(written, ignore_errors=True)
        return at(uri)

    return upload


def mend(run: str) -> str | None:
    """Make the folder of a killed run fit to go on with; returns the URI of its newest checkpoint if Ray Train does
    not know of it.

    What was being written is deleted. Ray writes its list of checkpoints in place, so a kill can leave it cut short,
    and Ray then refuses to go on: such a list is deleted too.
    """
    filesystem, path = filesystem_of(run)
    entries = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True))
    for entry in entries:
        if entry.base_name.startswith(".step-"):
            filesystem.delete_dir(entry.path)
    try:
        listed = read_json(join(run, SNAPSHOT)) or {}
    except StorageError:
        filesystem.delete_file(f"{path}/{SNAPSHOT}")
        listed = {}
    if listed.get("latest_checkpoint_result"):
        return None
    names = [entry.base_name for entry in entries if entry.base_name.startswith("step-")]
    files = {name: filesystem.get_file_info([f"{path}/{name}/{file}" for file in FILES]) for name in names}
    whole = [name for name in names if all(file.type == fs.FileType.File for file in files[name])]
    return join(run, max(whole)) if whole else None


def remove_all_but(run: str, kept: Collection[str]) -> None:
    """Delete the run's checkpoints that are not named in `kept`: those that Ray lost sight of with its list."""
    filesystem, path = filesystem_of(run)
    for entry in filesystem.get_file_info(fs.FileSelector(path)):
        if entry.base_name.startswith("step-") and entry.base_name not in kept:
            filesystem.delete_dir(entry.path)


def validate(checkpoint: Checkpoint, settings: dict[str, Any]) -> dict[str, float]:
    """Score a checkpoint's model on held-out pictures. Runs as a task of its own, so training does not wait for it."""
    quiet()
    device = granted_device()
    if device.type == "cpu":
        torch.set_num_threads(1)
    step = int(Path(checkpoint.path).name.removeprefix("step-"))
    with checkpoint.as_directory() as folder:
        vae = VAE.from_pretrained(Path(folder) / "vae", device)
    return scored(vae, step, held_out(settings), settings["run"])


def held_out(settings: dict[str, Any]) -> np.ndarray:
    """The pictures that a training is validated on, uint8 [N, s, s, 3]."""
    config: VAEConfig = settings["config"]
    with local_copy(join(settings["data"], "validation")) as folder:
        return read_pictures(folder, config.image_size, config.validation_pictures).images


def scored(vae: VAE, step: int, images: np.ndarray, run: str) -> dict[str, float]:
    """The scores of a model at a step on held-out pictures, shown everywhere where they are looked for."""
    seen = reconstruct(vae, images)
    events = EventFiles(join(run, "events", "validation"))
    write_validation(events.writer, step, seen)
    events.close()
    psnr, right, kl = seen.scores["psnr"], seen.scores["pixels_within_16"], seen.scores["kl"]
    Gauges("validation", run=run_of(run)).set(psnr=psnr, pixels_right=right)
    say("train_vae", f"step {step}: validation {psnr:.2f} dB, {right:.1%} of pixels right, KL {kl:.0f} nats")
    return seen.scores
