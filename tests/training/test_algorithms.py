import os

import pytest
import torch

from swiggle.training.algorithms import choose_algorithms


def test_a_cpu_gets_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", given.append)
    choose_algorithms(torch.device("cpu"), 3, deterministic=True)
    assert given == [3]
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_gpu_repeats_itself_or_is_fast(deterministic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(torch, "use_deterministic_algorithms", asked.append)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", deterministic)  # so that it has to change
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    choose_algorithms(torch.device("cuda"), 3, deterministic)
    assert torch.backends.cudnn.benchmark is not deterministic
    assert asked == [True] * deterministic
    assert ("CUBLAS_WORKSPACE_CONFIG" in os.environ) == deterministic
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
