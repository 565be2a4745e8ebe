"""Joining a Ray cluster, or starting a private one; and where its libraries read and write."""

import logging
import os
from typing import Any

import ray
import torch
from ray.data import DataContext, Dataset

from jobs.runtime.native_output import keep_native_output
from jobs.runtime.stage import logs_folder, say
from jobs.runtime.worker_output import divert
from swiggle.config import RunConfig
from swiggle.placement import placed, usable_gpus
from swiggle.storage import filesystem_of, is_local, local_path

OBJECT_STORE_BYTES = 1_000_000_000


def connect(config: RunConfig, stage: str, spare_cpus: int = 0) -> RunConfig:
    """Join the cluster that RAY_ADDRESS names (`ray job submit` sets it), else start one on this machine. Returns the
    configuration with the shares of GPUs filled in that it leaves open.

    `spare_cpus` are promised beyond the processors there are, for a streaming data set: Ray Data waits for ever for
    CPUs that training workers hold.

    A private cluster, its dashboard included, demands a token that only this process and its workers know
    (`jobs/__init__.py`).
    """
    if (logs := logs_folder(config.run)) is not None:
        keep_native_output(logs / "driver.log")
    if not ray.is_initialized():
        if "RAY_ADDRESS" in os.environ:
            ray.init(logging_level="WARNING")
        else:
            ray.init(
                num_cpus=max(2, os.cpu_count() or 2) + spare_cpus,
                object_store_memory=OBJECT_STORE_BYTES,
                logging_level="WARNING",
            )
    divert(config.run)
    quiet()
    context = DataContext.get_current()
    context.print_on_execution_start = False
    context.enable_progress_bars = False
    # Its second way of reading Parquet looks at the files in an actor that is not started again: the node of that actor
    # would take the stage with it.
    context.use_datasource_v2 = False
    there = usable_gpus(ray.cluster_resources().get("GPU", 0), here="RAY_ADDRESS" not in os.environ)
    gpus = there if config.gpus == "auto" else config.gpus
    if gpus:
        say(stage, f"on {gpus} of {there} GPUs")
    return placed(config, gpus, int(ray.cluster_resources()["CPU"]))


def granted_device() -> torch.device:
    """The device that Ray gave this task or actor: its GPU where it asked for a share of one, else the CPU. That a
    GPU can be seen does not say that it may be used: Ray hides none from who asked for none."""
    return torch.device("cuda" if ray.get_gpu_ids() and torch.cuda.is_available() else "cpu")


def driver_device(config: RunConfig) -> torch.device:
    """Where the command itself computes, as reports do: on a GPU that it sees, unless `gpus=0`."""
    return torch.device("cuda" if config.gpus != 0 and torch.cuda.is_available() else "cpu")


def quiet() -> None:
    """Keep Ray's notes about its own progress out of ours; drivers and workers each call it."""
    for name in ("ray.data", "ray.train", "ray.tune"):  # Data warns of busy CPUs while its own actors hold them
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger().setLevel(logging.WARNING)


def storage(uri: str) -> dict[str, Any]:
    """`storage_path` and `storage_filesystem` for Ray Train and Tune. Left to themselves they open remote storage with
    less patience."""
    if is_local(uri):
        return {"storage_path": str(local_path(uri)), "storage_filesystem": None}
    filesystem, path = filesystem_of(uri)
    return {"storage_path": path, "storage_filesystem": filesystem}


def read_rows(*uris: str, **options: Any) -> Dataset:
    """The Parquet files at places of one file system as a Ray data set."""
    filesystem = filesystem_of(uris[0])[0]
    return ray.data.read_parquet([filesystem_of(uri)[1] for uri in uris], filesystem=filesystem, **options)


def write_rows(rows: Dataset, uri: str) -> None:
    """Write a Ray data set as Parquet files into the folder at `uri`."""
    filesystem, path = filesystem_of(uri)
    rows.write_parquet(path, filesystem=filesystem)
