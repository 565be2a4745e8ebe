"""Streamed batches: repeatable, complete, and able to go on anywhere."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from swiggle.config import DataConfig, RunConfig, VAEConfig
from swiggle.data import sources
from swiggle.data.reading import read_pictures
from swiggle.data.sources import write_splits

pytestmark = pytest.mark.integration
CPU = torch.device("cpu")
CONFIG = VAEConfig(image_size=32, batch_size=16, steps=60, shuffle_buffer=64)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "PART_ROWS", 50)
        write_splits(DataConfig(count=400), 32, folder)
    return folder / "train"


@pytest.fixture(scope="module")
def _ray() -> Iterator[None]:
    import ray

    from jobs.runtime.cluster import connect

    connect(RunConfig(), "test")
    yield
    ray.shutdown()


def digests(split: Path, first_step: int, workers: int = 1) -> list[list[bytes]]:
    """What each worker is given, a picture's bytes each: [worker][...]."""
    from concurrent.futures import ThreadPoolExecutor

    from jobs.runtime.batches import from_stream, stream, stream_options

    data, count = stream(str(split), 32)
    data.context.execution_options = stream_options()
    shards = data.streaming_split(workers, equal=True) if workers > 1 else [data.iterator()]

    def read(rank: int, shard: Any) -> list[bytes]:
        batches = from_stream(shard, count, CONFIG, CPU, first_step, rank, workers)
        return [picture.numpy().tobytes() for batch in batches for picture in batch]

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(read, range(workers), shards))


@pytest.mark.usefixtures("_ray")
def test_a_stream_is_repeatable_complete_and_goes_on_anywhere(split: Path) -> None:
    (whole,) = digests(split, 0)
    assert len(whole) == CONFIG.steps * CONFIG.batch_size
    assert digests(split, 0) == [whole]
    assert digests(split, 33) == [whole[33 * CONFIG.batch_size :]]
    pictures = [picture.tobytes() for picture in read_pictures(split, 32).images]
    epoch = len(pictures) // CONFIG.batch_size * CONFIG.batch_size
    first, second = whole[:epoch], whole[epoch : 2 * epoch]
    assert max(Counter(first).values()) == 1
    assert set(first) <= set(pictures)
    assert first != pictures[:epoch]  # shuffled
    assert first != second  # and anew each epoch


@pytest.mark.usefixtures("_ray")
def test_workers_stream_different_pictures_repeatably(split: Path) -> None:
    one, two = digests(split, 0, workers=2)
    assert len(one) == len(two) == CONFIG.steps * CONFIG.batch_size // 2
    shares = [len(part) // CONFIG.steps for part in digests(split, 0, workers=3)]
    assert shares == [6, 5, 5]
    epoch = len(set(one) | set(two))
    assert not set(one[: epoch // 4]) & set(two[: epoch // 4])
    assert digests(split, 0, workers=2) == [one, two]


def test_a_stream_too_short_for_a_batch_is_refused() -> None:
    from jobs.runtime.batches import from_stream

    with pytest.raises(ValueError, match="more than the 10 pictures"):
        next(from_stream(cast(Any, None), 10, CONFIG, CPU, 0, 0, 1))


def test_memory_gives_a_batch_whatever_the_number_of_workers(split: Path) -> None:
    from jobs.runtime.batches import from_memory

    pictures = read_pictures(split, 32)
    (alone,) = (list(from_memory(pictures, CONFIG, CPU, 50, 0, 1)),)
    shared = [list(from_memory(pictures, CONFIG, CPU, 50, rank, 3)) for rank in range(3)]
    assert len(alone) == 10
    for step, batch in enumerate(alone):
        np.testing.assert_array_equal(np.concatenate([parts[step] for parts in shared]), batch)
