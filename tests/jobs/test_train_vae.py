"""VAE training through Ray Train: stopped, resumed, and on two workers."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from swiggle.models.vae import VAE
from tests.conftest import ENVIRONMENT, ROOT, TINY, run_module

pytestmark = pytest.mark.integration
WORDS = [*TINY, "vae.steps=60", "vae.cpus_per_worker=1", "vae.bf16=never"]


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return VAE.from_pretrained(run / "vae").state_dict()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its data and a VAE trained without a stop by one worker."""
    run = tmp_path_factory.mktemp("unbroken") / "run"
    for job in ("prepare_data", "train_vae"):
        result = run_module(f"jobs.{job}", *WORDS, f"run={run}")
        assert result.returncode == 0, result.stdout[-2000:]
    return run


def copy_data(run: Path, to: Path) -> Path:
    shutil.copytree(run / "data", to / "data")
    (to / "stages").mkdir()
    shutil.copy(run / "stages/prepare_data.json", to / "stages")
    return to


def test_ctrl_c_and_again_ends_as_an_unbroken_run(unbroken: Path, tmp_path: Path) -> None:
    run = copy_data(unbroken, tmp_path / "run")
    command = [sys.executable, "-m", "jobs.train_vae", *WORDS, f"run={run}"]
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=ENVIRONMENT, stdout=output, stderr=output, start_new_session=True
        )
        deadline = time.monotonic() + 120
        # A checkpoint that is listed is complete; the run is stopped at the first one.
        while not list(run.glob("train_vae/*/checkpoint_manager_snapshot.json")):
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, log.read_text()[-2000:]
    assert "the same command goes on from here" in log.read_text()
    assert not (run / "vae").exists()

    resumed = run_module("jobs.train_vae", *WORDS, f"run={run}")
    assert resumed.returncode == 0, resumed.stdout[-2000:]
    assert "resumed at step" in resumed.stdout
    expected = weights_of(unbroken)
    assert all(torch.equal(value, expected[name]) for name, value in weights_of(run).items())


def test_two_workers_train_the_same_model_as_one(unbroken: Path, tmp_path: Path) -> None:
    run = copy_data(unbroken, tmp_path / "run")
    result = run_module("jobs.train_vae", *WORDS, f"run={run}", "vae.workers=2")
    assert result.returncode == 0, result.stdout[-2000:]
    expected = weights_of(unbroken)
    for name, value in weights_of(run).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-4)
