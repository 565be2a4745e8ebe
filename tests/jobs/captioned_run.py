"""A run whose data is prepared: pictures of a hat below a sky, with captions."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs import prepare_data
from swiggle.config import DataConfig, RunConfig
from swiggle.data.pixels import encode_png

HATS, SKIES = ("red", "tall", "straw"), ("clear", "cloudy")


def captioned_run(folder: Path, count: int) -> RunConfig:
    """So many training pictures of 8 x 8 pixels at `folder`."""
    (folder / "data/train").mkdir(parents=True)
    images, captions = [], []
    for i in range(count):
        picture = np.zeros((8, 8, 3), np.uint8)
        picture[:4], picture[4:] = 100 + 50 * (i % 2), 80 * (i % 3)
        images.append({"bytes": encode_png(picture)})
        captions.append(f"a {HATS[i % 3]} hat below a {SKIES[i % 2]} sky")
    table = pa.table({"id": np.arange(count), "image": images, "caption": captions})
    pq.write_table(table, folder / "data/train/part.parquet")
    (folder / "stages").mkdir()
    made = {"id": "prepare_data-1", "fingerprint": "0" * 64, "seconds": 1.0, "metrics": {}, "inputs": {}}
    record = {**made, "version": prepare_data.STAGE.version, "settings": {"data": {"source": "elsewhere"}}}
    (folder / "stages/prepare_data.json").write_text(json.dumps(record))
    return RunConfig(run=str(folder), data=DataConfig(source="elsewhere"))
