"""The jobs as a user runs them, in processes of their own, on a private Ray cluster."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from swiggle.models.vae import VAE
from tests.conftest import ENVIRONMENT, ROOT, TINY, run_module

pytestmark = pytest.mark.integration


def test_the_smoke_run_is_complete(smoke_run: Path) -> None:
    manifest = json.loads((smoke_run / "bundle.json").read_text())
    assert manifest["metrics"]["train_vae"]["psnr"] > 22
    assert manifest["metrics"]["build_atlas"]["labelled"] > 300
    assert "l1 =" in manifest["metrics"]["sweep_sae"]["reason"]
    trials = json.loads((smoke_run / "sweep_report/trials.json").read_text())
    assert len({t["l1"] for t in trials}) == 4
    assert all({"l0", "fvu", "dead", "density_histogram"} <= t.keys() for t in trials)
    # Held-out sparsity follows the L1 weight, and reconstruction pays for it.
    by_weight = sorted(trials, key=lambda t: t["l1"])
    assert [t["l0"] for t in by_weight] == sorted((t["l0"] for t in trials), reverse=True)
    assert [t["fvu"] for t in by_weight] == sorted(t["fvu"] for t in trials)
    assert (smoke_run / "sweep_report/pareto.png").stat().st_size > 10_000
    assert len(list((smoke_run / "sweep").rglob("events.out.tfevents*"))) == 4
    assert not [p for p in smoke_run.iterdir() if p.name.startswith(".")]


def test_what_is_done_is_skipped_and_what_changed_is_not(smoke_run: Path) -> None:
    again = run_module("jobs.pipeline", "preset=smoke", f"run={smoke_run}")
    assert again.returncode == 0
    assert again.stdout.count("done before") == 6
    assert "started" not in again.stdout


def weights_after(run: Path) -> dict:
    return VAE.from_pretrained(run / "vae").state_dict()


def test_ctrl_c_and_again_ends_as_an_unbroken_run(tmp_path: Path) -> None:
    words = [*TINY, "vae.steps=60", "vae.cpus_per_worker=1"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for run in (whole, broken):
        assert run_module("jobs.prepare_data", *words, f"run={run}").returncode == 0
    assert run_module("jobs.train_vae", *words, f"run={whole}").returncode == 0

    command = [sys.executable, "-m", "jobs.train_vae", *words, f"run={broken}"]
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=ENVIRONMENT, stdout=output, stderr=output, start_new_session=True
        )
        deadline = time.monotonic() + 120
        # A checkpoint that is listed is complete; the run is stopped at the first one.
        while not list(broken.glob("train_vae/*/checkpoint_manager_snapshot.json")):
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, log.read_text()[-2000:]
    assert "the same command goes on from here" in log.read_text()
    assert not (broken / "vae").exists()

    resumed = run_module("jobs.train_vae", *words, f"run={broken}")
    assert resumed.returncode == 0, resumed.stdout[-2000:]
    assert "resumed at step" in resumed.stdout
    expected = weights_after(whole)
    assert all((value == expected[name]).all() for name, value in weights_after(broken).items())


def test_mistakes_are_answered_in_a_sentence(tmp_path: Path) -> None:
    wrong = run_module("jobs.pipeline", "vae.stepz=3")
    assert wrong.returncode == 2
    assert "did you mean vae.steps?" in wrong.stdout
    early = run_module("jobs.sweep_sae", f"run={tmp_path}/none")
    assert early.returncode == 1
    assert "python -m jobs.prepare_data" in early.stdout
    nothing = run_module("jobs.pipeline", f"run={tmp_path}/x", "data.source=/no/such/place")
    assert nothing.returncode == 1
    assert "/no/such/place" in nothing.stdout
    for result in (wrong, early, nothing):
        assert "Traceback" not in result.stdout
