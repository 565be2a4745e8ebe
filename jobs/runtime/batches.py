"""Batches of pictures for the VAE's workers, from memory or streamed by Ray Data; both go on at any step."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import torch
from ray.data import DataIterator, Dataset, ExecutionOptions, ExecutionResources
from torch import Tensor

from jobs.runtime.cluster import read_rows
from swiggle.config import VAEConfig
from swiggle.data.pixels import decode_picture, resize
from swiggle.data.reading import Pictures
from swiggle.errors import ConfigError
from swiggle.training.feed import batches, on
from swiggle.training.order import worker_rows

STREAM_BYTES = 256_000_000
"""Decoded pictures that Ray Data keeps ready for all workers together."""


def from_memory(
    pictures: Pictures, config: VAEConfig, device: torch.device, first_step: int, rank: int, workers: int
) -> Iterator[Tensor]:
    """This worker's shares of the batches from `first_step` on, uint8 [n, s, s, 3] of the side that pictures are stored
    at. A batch is the same pictures whatever the number of workers."""
    steps = range(first_step, config.steps)
    stored = torch.from_numpy(pictures.images)
    return batches(stored, device, config.batch_size, steps, config.seed, rank, workers)


def stream(uri: str, image_size: int) -> tuple[Dataset, int]:
    """The pictures of a stored split, decoded as they are needed: a column `image`, uint8 [S, S, 3]; and how many."""

    def decode(batch: pa.Table) -> dict[str, np.ndarray]:
        contents = (image["bytes"] for image in batch["image"].to_pylist())
        return {"image": np.stack([resize(decode_picture(content), image_size) for content in contents])}

    rows = read_rows(uri, columns=["image"])
    # A block a file, or Ray would choose by the size of the cluster, and the blocks decide what is drawn.
    rows = read_rows(uri, columns=["image"], override_num_blocks=len(rows.input_files()))
    return rows.map_batches(decode, batch_format="pyarrow", batch_size=512), rows.count()


def stream_options() -> ExecutionOptions:
    """Blocks in the order of the files, so that a stream can be repeated, and few of them waiting at a time, so that
    its memory does not grow with the number of pictures."""
    return ExecutionOptions(
        preserve_order=True, resource_limits=ExecutionResources.for_limits(object_store_memory=STREAM_BYTES)
    )


def from_stream(
    shard: DataIterator, count: int, config: VAEConfig, device: torch.device, first_step: int, rank: int, workers: int
) -> Iterator[Tensor]:
    """This worker's batches from `first_step` on, uint8 [n, S, S, 3], of a stream of `count` pictures in all.

    Batches are drawn from a window of `shuffle_buffer` pictures, anew each epoch. They depend on the seed, the step
    and the number of workers. To go on inside an epoch its first batches are read again and left out.
    """
    size = len(worker_rows(config.batch_size, rank, workers))
    if (whole := count // workers // -(-config.batch_size // workers)) == 0:
        raise ConfigError(f"vae.batch_size: {config.batch_size} is more than the {count} pictures of the stream")
    step = first_step
    while step < config.steps:
        epoch, done = divmod(step, whole)
        epoch_of_batches = shard.iter_torch_batches(
            batch_size=size,
            dtypes=torch.uint8,
            device="cpu",
            drop_last=True,
            local_shuffle_buffer_size=config.shuffle_buffer,
            local_shuffle_seed=config.seed * 1_000_003 + epoch,
        )
        for number, batch in enumerate(epoch_of_batches):
            if number >= whole or step == config.steps:
                break
            if number >= done:
                yield on(batch["image"], device)
                step += 1
