"""The sweep through Ray Tune: killed and resumed, over several objectives, searched for an L0, and its page."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
import torch
from ray.tune import Checkpoint
from safetensors.torch import load_file

from jobs import sweep_sae
from jobs.runtime.screen import OURS
from jobs.runtime.stage import StageError
from swiggle.config import RunConfig
from swiggle.sae.model import SparseAutoencoder
from tests.conftest import ENVIRONMENT, ROOT, run_module
from tests.jobs.conftest import Head

pytestmark = pytest.mark.integration
WORDS = [
    "preset=smoke", "sae.features=256", "sae.epochs=8", "sae.checkpoint_every=2", "sae.bf16=never", "sae.k=12",
    "sweep.objectives=[l1,batch_topk]", "sweep.l1=[1.0,3.0]", "sweep.k=[12]", "sweep.max_dead=1.0",
]  # fmt: skip


def copy_of(smoke_run: Path, folder: Path) -> Path:
    """A run that has everything up to the latents."""
    run = folder / "run"
    for name in ("data", "vae", "latents"):
        shutil.copytree(smoke_run / name, run / name)
    (run / "stages").mkdir()
    for name in ("prepare_data", "train_vae", "encode_latents"):
        shutil.copy(smoke_run / f"stages/{name}.json", run / "stages")
    return run


def test_a_killed_sweep_ends_as_an_unbroken_one(head: Head, smoke_run: Path, tmp_path: Path) -> None:
    broken, unbroken = (copy_of(smoke_run, tmp_path / name) for name in ("broken", "unbroken"))
    log = broken / "log"
    with log.open("w") as output:
        job = subprocess.Popen(
            [sys.executable, "-m", "jobs.sweep_sae", *WORDS, f"run={broken}"],
            cwd=ROOT, env=ENVIRONMENT, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 150
    while "epoch 4/8" not in log.read_text():
        assert job.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.05)
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    resumed = run_module("jobs.sweep_sae", *WORDS, f"run={broken}")
    assert resumed.returncode == 0, resumed.stdout[-3000:]
    assert "going on with the sweep that was stopped" in resumed.stdout
    assert [line for line in resumed.stdout.splitlines() if not OURS.match(line)] == []  # nothing of Ray's
    straight = run_module("jobs.sweep_sae", *WORDS, f"run={unbroken}", **head.variables)
    assert straight.returncode == 0, straight.stdout[-3000:]
    results = [json.loads((run / "sweep_report/trials.json").read_text()) for run in (broken, unbroken)]
    assert results[0]["reason"] == results[1]["reason"]
    assert sorted(t["name"].split("-w")[0] for t in results[0]["trials"]) == ["batch_topk-12", "l1-1", "l1-3"]
    assert all(trial["curves"]["epoch"] == list(range(1, 9)) for result in results for trial in result["trials"])
    for trial in results[1]["trials"]:
        weights = [
            load_file(run / "sweep_report/dictionaries" / trial["name"] / "model.safetensors")
            for run in (broken, unbroken)
        ]
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0]), trial["name"]


def test_a_search_comes_near_the_wanted_l0(head: Head, smoke_run: Path, tmp_path: Path) -> None:
    run = copy_of(smoke_run, tmp_path)
    words = ["sweep.search=target", "sweep.target_l0=15", "sweep.samples=4", "sweep.max_l0=100", "sweep.max_fvu=1"]
    words += ["sweep.objectives=[batch_topk]", "sweep.k=[5,25]", f"run={run}"]
    found = run_module("jobs.sweep_sae", *WORDS, *words, **head.variables)
    assert found.returncode == 0, found.stdout[-3000:]
    report = json.loads((run / "sweep_report/trials.json").read_text())
    assert 1 <= len(report["trials"]) <= 4
    assert all(5 <= trial["k"] <= 25 for trial in report["trials"])


def test_the_page_of_the_sweep(smoke_run: Path) -> None:
    report = json.loads((smoke_run / "sae_report/report.json").read_text())
    chosen = report["trials"][report["chosen"]]
    assert chosen["name"] in report["reason"]
    assert 0.2 < chosen["traits"]["mean_coverage"] < 1
    assert chosen["traits"]["mean_coverage"] > report["baselines"]["random"]["mean_coverage"]
    assert chosen["traits"]["edits"]["head"]["success"] > 0.5
    page = (smoke_run / "sae_report/index.html").read_text()
    assert "src=" not in page.split("<script>")[0]  # opens from disk, with nothing to fetch
    sae = SparseAutoencoder.from_pretrained(smoke_run / "sae")
    swept = SparseAutoencoder.from_pretrained(smoke_run / "sweep_report/dictionaries" / chosen["name"])
    assert torch.equal(sae.W_dec, swept.W_dec)


def test_a_sweep_goes_on_only_where_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tune's trials remember where they write; those of a copied run wrote their dictionaries into the other one."""
    monkeypatch.chdir(tmp_path)
    here = sweep_sae.experiment_name("run", "0123")
    assert here == sweep_sae.experiment_name(str(tmp_path / "run"), "0123")
    assert here.startswith("0123-")
    assert len({here, sweep_sae.experiment_name("copy", "0123"), sweep_sae.experiment_name("run", "4567")}) == 3


def test_curves_are_complete_where_tune_lost_an_epoch(tmp_path: Path) -> None:
    """A worker that died after its checkpoint was kept, and before Tune had written what it reported with it."""
    curves = {"epoch": [1, 2, 3], "train_loss": [3.0, 2.0, 1.0]}
    (tmp_path / "curves.json").write_text(json.dumps(curves))

    class Kept:
        path = "trial"
        metrics: ClassVar = {"epoch": 3, "fvu": 0.1, "config": {"sae": {"objective": "l1", "l1": 1.0}}}
        metrics_dataframe = pd.DataFrame({"epoch": [1, 3], "train_loss": [3.0, 1.0]})
        checkpoint = Checkpoint(str(tmp_path))

    assert sweep_sae.summary(Kept(), RunConfig())["curves"] == curves
    Kept.checkpoint = None
    with pytest.raises(StageError, match="no checkpoint"):
        sweep_sae.summary(Kept(), RunConfig())
