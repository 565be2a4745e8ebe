"""Compose or import the pictures and store them as Parquet, split by id.

    python -m jobs.prepare_data preset=quick run=runs/demo
    python -m jobs.prepare_data run=runs/mine data.source=path/to/folder

Writes `<run>/data/{train,validation,test}/*.parquet`.
"""

from dataclasses import asdict
from typing import Any

import datasets

from jobs.stage import Stage, complete, run_command, say
from swiggle.config import RunConfig
from swiggle.data.sources import write_splits
from swiggle.storage import join, publish


def work(config: RunConfig, key: str) -> dict[str, Any]:
    datasets.disable_progress_bars()
    with publish(join(config.run, "data")) as folder:
        counts, skipped = write_splits(config.data, config.vae.image_size, folder)
    for name in skipped:
        say(STAGE.name, f"skipped {name}")
    return {**counts, "skipped": len(skipped)}


STAGE = Stage("prepare_data", (), lambda c: {"data": asdict(c.data), "image_size": c.vae.image_size}, work)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
