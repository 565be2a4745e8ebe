"""The device of a task is what Ray granted it, not what the machine has."""

import pytest
import torch

from jobs.runtime import cluster


@pytest.mark.parametrize(
    ("granted", "there", "device"), [([], True, "cpu"), ([0], True, "cuda"), ([], False, "cpu"), ([0], False, "cpu")]
)
def test_a_task_uses_the_gpu_that_it_was_granted(
    granted: list[int], there: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster.ray, "get_gpu_ids", lambda: granted)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert cluster.granted_device() == torch.device(device)
