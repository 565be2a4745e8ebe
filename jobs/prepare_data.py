"""Compose or import the pictures and store them as Parquet, split by content (composed ones by id).

    python -m jobs.prepare_data preset=quick run=runs/demo
    python -m jobs.prepare_data run=runs/mine data.source=path/to/folder

Writes `<run>/data/{train,validation,test}/*.parquet`, and in `<run>/data/import_report.csv` a line for each picture
that was skipped or had to be converted. A line says what the source was taken for, and another what can be done with
it; both are in the stage's record.
"""

from dataclasses import asdict
from typing import Any

from jobs.runtime.stage import Stage, complete, run_command, say
from swiggle.composition import SETS
from swiggle.config import RunConfig
from swiggle.data.source_digest import source_digest
from swiggle.data.sources import REPORT, write_splits
from swiggle.models.shapes import latent_shape
from swiggle.storage import join, publish

_SHOWN = 10
"""Pictures that are named while it runs; a set of icons may have thousands that are not plain RGB."""


def work(config: RunConfig, key: str) -> dict[str, Any]:
    latent_shape(config.vae)  # sizes that do not fit are told now, not once all pictures are read
    with publish(join(config.run, "data")) as folder:
        done = write_splits(config.data, config.vae.image_size, folder)
    for note in done.notes[:_SHOWN]:
        say(STAGE.name, note)
    if done.skipped + done.converted > _SHOWN:
        say(STAGE.name, f"... and more; all are in {join(config.run, 'data', REPORT)}")
    for line in (*done.remarks, done.understood, done.works):
        say(STAGE.name, line)
    counts = {**done.rows, "skipped": done.skipped, "converted": done.converted}
    return {**counts, "understood": {"source": done.understood, "works": done.works}}


def pictures(settings: dict[str, Any]) -> dict[str, str | None]:
    """What the pictures are imported from; nothing outside is read for a composed set."""
    source = settings["data"]["source"]
    return {} if source in SETS else {f"content of {source}": source_digest(source)}


STAGE = Stage(
    "prepare_data", (), lambda c: {"data": asdict(c.data), "image_size": c.vae.image_size}, work, reads=pictures
)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config), reads_source=True)
