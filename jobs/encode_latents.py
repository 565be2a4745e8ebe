"""Encode every picture with Ray Data: posterior means, one Parquet row a picture.

    python -m jobs.encode_latents preset=quick run=runs/demo encode.workers=2

Reads `<run>/data` and `<run>/vae`; writes `<run>/latents/*.parquet` with columns `id`, `latent` and `split`, all splits
together.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from ray.data import ActorPoolStrategy

from jobs import prepare_data, train_vae
from jobs.runtime.cluster import connect, granted_device, quiet, read_rows, write_rows
from jobs.runtime.stage import Stage, complete, run_command
from swiggle.config import RunConfig
from swiggle.data.pixels import decode_picture
from swiggle.data.reading import stacked
from swiggle.data.splits import SPLITS
from swiggle.errors import about
from swiggle.models.vae import VAE
from swiggle.storage import join, local_copy, publish_at


class Encoder:
    """A Ray Data actor that holds the VAE."""

    def __init__(self, vae: str) -> None:
        quiet()
        torch.set_num_threads(1)
        with local_copy(vae) as folder:
            self.vae = VAE.from_pretrained(folder, granted_device())

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Columns `id`, `image`, `path` to columns `id`, `latent` (the flattened posterior mean) and `split`, the
        folder that a row was read from."""
        size = self.vae.config.image_size
        if not batch.num_rows:  # of a split without pictures
            flat = pa.list_(pa.float32(), int(np.prod(self.vae.latent_shape)))
            return pa.schema({"id": pa.int64(), "latent": flat, "split": pa.string()}).empty_table()
        pictures = []
        for number, image in zip(batch["id"].to_pylist(), batch["image"].to_pylist(), strict=True):
            with about(f"picture {number}"):
                pictures.append(decode_picture(image["bytes"]))
        latents = self.vae.encode_images(stacked(pictures, size)).reshape(len(pictures), -1)
        column = pa.FixedSizeListArray.from_arrays(pa.array(latents.ravel()), latents.shape[1])
        splits = [path.split("/")[-2] for path in batch["path"].to_pylist()]
        return pa.table({"id": batch["id"], "latent": column, "split": splits})


def work(config: RunConfig, key: str) -> dict[str, Any]:
    config = connect(config, STAGE.name)
    splits = [join(config.run, "data", split) for split in sorted(SPLITS)]  # what lies beside them are no pictures
    encoded = read_rows(*splits, columns=["id", "image"], include_paths=True).map_batches(
        Encoder,
        fn_constructor_kwargs={"vae": join(config.run, "vae")},
        batch_format="pyarrow",
        batch_size=1024,
        num_cpus=1,
        num_gpus=config.encode.gpus_per_worker,
        compute=ActorPoolStrategy(size=config.encode.workers),
    )
    with publish_at(join(config.run, "latents")) as output:
        write_rows(encoded, output)
    return {}


STAGE = Stage("encode_latents", (prepare_data.STAGE, train_vae.STAGE), lambda c: {}, work)

if __name__ == "__main__":
    run_command(__doc__, lambda config: complete(STAGE, config))
