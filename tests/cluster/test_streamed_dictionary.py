"""One dictionary by two workers on streamed latents, killed and resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from swiggle.sae.model import SparseAutoencoder
from tests.cluster.conftest import BRISK
from tests.conftest import ENVIRONMENT, ROOT, run_module
from tests.jobs.test_sweep_sae import copy_of

pytestmark = [pytest.mark.cluster, pytest.mark.integration]
WORDS = [
    "preset=smoke", "sae.objective=matryoshka_l1", "sae.features=64", "sae.batch_size=64", "sae.epochs=8",
    "sae.checkpoint_every=2", "sae.bf16=never", "train_sae.workers=2",
]  # fmt: skip


def test_a_killed_training_ends_as_an_unbroken_one(unbroken: Path, tmp_path: Path) -> None:
    broken, straight = (copy_of(unbroken, tmp_path / name) for name in ("broken", "straight"))
    log = broken / "log"
    with log.open("w") as output:
        job = subprocess.Popen(
            [sys.executable, "-m", "jobs.train_sae", *WORDS, f"run={broken}"],
            cwd=ROOT, env={**ENVIRONMENT, **BRISK}, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 150
    while "epoch 3/8" not in log.read_text():
        assert job.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.02)
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    assert not (broken / "train_sae/dictionary").exists()
    resumed = run_module("jobs.train_sae", *WORDS, f"run={broken}", **BRISK)
    assert resumed.returncode == 0, resumed.stdout[-3000:]
    assert "resumed after epoch" in resumed.stdout
    whole = run_module("jobs.train_sae", *WORDS, f"run={straight}", **BRISK)
    assert whole.returncode == 0, whole.stdout[-3000:]
    weights = [SparseAutoencoder.from_pretrained(run / "train_sae/dictionary").W_dec for run in (broken, straight)]
    torch.testing.assert_close(weights[0], weights[1])
