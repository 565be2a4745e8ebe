"""Joining a Ray cluster, or starting a private one."""

import logging
import os

import ray
from ray.data import DataContext

OBJECT_STORE_BYTES = 1_000_000_000


def connect(spare_cpus: int = 0) -> None:
    """Join the cluster that RAY_ADDRESS names (`ray job submit` sets it), else start one on this machine.

    `spare_cpus` are promised beyond the processors there are, for a streaming data set: Ray Data waits for ever for
    CPUs that training workers hold.

    A private cluster, its dashboard included, demands a token that only this process and its workers know
    (`jobs/__init__.py`).
    """
    if not ray.is_initialized():
        if "RAY_ADDRESS" in os.environ:
            ray.init()
        else:
            ray.init(
                num_cpus=max(2, os.cpu_count() or 2) + spare_cpus,
                object_store_memory=OBJECT_STORE_BYTES,
                logging_level="WARNING",
            )
    quiet()
    context = DataContext.get_current()
    context.print_on_execution_start = False
    context.enable_progress_bars = False


def quiet() -> None:
    """Keep Ray's notes about its own progress out of ours; drivers and workers each call it."""
    for name in ("ray.data", "ray.train", "ray.tune"):  # Data warns of busy CPUs while its own actors hold them
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger().setLevel(logging.WARNING)
