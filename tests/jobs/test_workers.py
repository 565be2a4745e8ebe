"""Two Ray Train workers (gloo) compute what one does."""

from pathlib import Path

import pytest
import torch

from swiggle.models.vae import VAE
from tests.conftest import TINY, run_module

pytestmark = pytest.mark.integration


def test_two_workers_train_the_same_model_as_one(tmp_path: Path) -> None:
    words = [*TINY, "vae.bf16=never", "vae.cpus_per_worker=1", "vae.steps=10"]
    states = []
    assert run_module("jobs.prepare_data", *words, f"run={tmp_path}").returncode == 0
    for workers in (1, 2):
        result = run_module("jobs.train_vae", *words, f"run={tmp_path}", f"vae.workers={workers}")
        assert result.returncode == 0, result.stdout[-2000:]
        states.append(VAE.from_pretrained(tmp_path / "vae").state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-3, atol=1e-4)
