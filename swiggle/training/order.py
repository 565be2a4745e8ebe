"""Which pictures a step sees: a function of the seed and the step alone.

Every worker can work out any step's global batch without having seen the ones before, so a run resumes at its exact
place and sees the same batches whatever the number of workers.
"""

from functools import lru_cache

import numpy as np

from swiggle.errors import ConfigError


def batch_indices(step: int, batch_size: int, count: int, seed: int) -> np.ndarray:
    """Indices of the global batch of a step, int64 [batch_size]: epochs of random permutations laid end to end."""
    start = step * batch_size
    epoch, offset = divmod(start, count)
    parts: list[np.ndarray] = []
    missing = batch_size
    while missing:
        part = _permutation(count, seed, epoch)[offset : offset + missing]
        parts.append(part)
        missing -= len(part)
        epoch, offset = epoch + 1, 0
    return np.concatenate(parts)


@lru_cache(maxsize=2)
def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch]).permutation(count)


def worker_share(indices: np.ndarray, rank: int, workers: int) -> np.ndarray:
    """The part of a global batch that one worker computes; shares differ by one at most.

    Raises `ConfigError` for a batch too small to give every worker something.
    """
    if len(indices) < workers:
        raise ConfigError(f"vae.batch_size: {len(indices)} is too small for {workers} workers")
    places = worker_rows(len(indices), rank, workers)
    return indices[places.start : places.stop]


def worker_rows(batch_size: int, rank: int, workers: int) -> range:
    """The places in a global batch that one worker computes."""
    size, more = divmod(batch_size, workers)
    start = rank * size + min(rank, more)
    return range(start, start + size + (rank < more))
