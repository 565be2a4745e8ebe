from typing import Any

import numpy as np
import pytest
import torch

from swiggle.training import feed
from swiggle.training.feed import batches
from swiggle.training.order import batch_indices, worker_rows

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)


STORED = torch.from_numpy(IMAGES)
CPU = torch.device("cpu")


class Card:
    """Passes for a GPU that nothing fits on, so that batches are picked ahead; `on` leaves them where they are."""

    type = "cuda"


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("ahead", [False, True])
def test_batches_are_those_that_the_step_names(workers: int, ahead: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "fits", lambda device, size: False)
    monkeypatch.setattr(feed, "on", lambda values, device: values)
    device: Any = Card() if ahead else CPU
    parts = [list(batches(STORED, device, 8, range(5, 75), 3, rank, workers)) for rank in range(workers)]
    assert len(parts[0]) == 70
    for step, shares in zip(range(5, 75), zip(*parts, strict=True), strict=True):
        expected = IMAGES[batch_indices(step, 8, len(IMAGES), 3)]
        np.testing.assert_array_equal(torch.cat(shares).numpy(), expected)


def test_no_steps_are_no_batches() -> None:
    assert not list(batches(STORED, CPU, 8, range(5, 5), 3))


def test_shares_of_workers() -> None:
    assert [worker_rows(8, rank, 3) for rank in range(3)] == [range(0, 3), range(3, 6), range(6, 8)]
