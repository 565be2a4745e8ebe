"""VAE training through Ray Train: killed in every way, resumed, on two workers, and streamed."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from swiggle.models.vae import VAE
from swiggle.training.vae_events import read_curves
from tests.conftest import ENVIRONMENT, ROOT, TINY, run_module
from tests.data.odd_pictures import BROKEN, ODD, odd_folder
from tests.jobs.conftest import Head, kill, processes_named

pytestmark = pytest.mark.integration
# Long enough to be killed on the way several times.
WORDS = [
    *TINY, "vae.steps=900", "vae.checkpoint_every=150", "vae.cpus_per_worker=1", "vae.bf16=never",
    "vae.validation_pictures=30",
]  # fmt: skip
POLL = {"RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2"}


class Training:
    """A running `python -m jobs.train_vae`."""

    started: ClassVar[list[subprocess.Popen]] = []

    def __init__(self, run: Path, *words: str, **environment: str) -> None:
        self.run = run
        self.log = run / "log"
        self._last_listed = ""
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jobs.train_vae", *WORDS, f"run={run}", *words],
                cwd=ROOT, env={**ENVIRONMENT, **POLL, **environment}, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        self.started.append(self.process)

    def wait_for(self, what: Callable[[], object]) -> None:
        deadline = time.monotonic() + 150
        while not what():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.02)

    def wait_for_checkpoint(self) -> None:
        """Wait until one more is listed than there was."""
        before = self.listed()
        self.wait_for(lambda: self.listed() != before)

    def listed(self) -> str:
        for snapshot in self.run.glob("train_vae/*/checkpoint_manager_snapshot.json"):
            try:
                latest = json.loads(snapshot.read_text())["latest_checkpoint_result"]
            except ValueError:  # being written
                continue
            self._last_listed = latest["checkpoint_dir_name"]
        return self._last_listed


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    yield
    for process in Training.started:
        process.kill()
    Training.started.clear()


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return VAE.from_pretrained(run / "vae").state_dict()


def assert_same_curves(run: Path, expected: Path) -> None:
    """Rounding grows with the steps, so weights of different numbers of workers part, and the curves do not."""
    found, wanted = (read_curves(folder / "train_vae") for folder in (run, expected))
    for name, tolerance in (("train/error", 0.03), ("validation/psnr", 0.01)):
        assert list(found[name][0]) == list(wanted[name][0])
        assert found[name][1] == pytest.approx(wanted[name][1], rel=tolerance)


def trained(head: Head, data: Path, run: Path, *words: str) -> Path:
    where = {**head.variables, **POLL}
    result = run_module("jobs.train_vae", *WORDS, f"run={copy_data(data, run)}", *words, **where)
    assert result.returncode == 0, result.stdout[-3000:]
    return run


def copy_data(run: Path, to: Path) -> Path:
    shutil.copytree(run / "data", to / "data")
    (to / "stages").mkdir()
    shutil.copy(run / "stages/prepare_data.json", to / "stages")
    return to


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("data") / "run"
    result = run_module("jobs.prepare_data", *WORDS, f"run={run}")
    assert result.returncode == 0, result.stdout[-2000:]
    return run


@pytest.fixture(scope="module")
def unbroken(head: Head, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VAE trained without a stop by one worker."""
    return trained(head, data, tmp_path_factory.mktemp("unbroken") / "run")


@pytest.fixture(scope="module")
def unbroken_by_two(head: Head, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same by two workers."""
    return trained(head, data, tmp_path_factory.mktemp("by-two") / "run", "vae.workers=2")


def test_what_a_run_leaves(unbroken: Path) -> None:
    record = json.loads((unbroken / "stages/train_vae.json").read_text())
    assert record["metrics"]["psnr"] > 10
    assert record["metrics"]["images_per_second"] > 0
    (folder,) = (unbroken / "train_vae").iterdir()
    kept = {path.name for path in folder.glob("step-*")}
    assert "step-000000900" in kept
    assert len(kept) <= 2  # the best and the last
    curves = read_curves(folder)
    assert list(curves["train/error"][0]) == list(range(50, 901, 50))
    # Validation ran beside the training, for every checkpoint.
    steps, scores = curves["validation/psnr"]
    assert list(steps) == list(range(150, 901, 150))
    assert record["metrics"]["best_step"] == steps[scores.argmax()]
    assert {f"train_kl_channel/{c}" for c in range(4)} < curves.keys()


def test_killed_workers_and_jobs_end_as_an_unbroken_run(data: Path, unbroken: Path, tmp_path: Path) -> None:
    run = copy_data(data, tmp_path / "run")
    others = processes_named("RayTrainWorker")

    first = Training(run)
    first.wait_for_checkpoint()
    (worker,) = processes_named("RayTrainWorker") - others
    kill(worker)
    first.wait_for(lambda: "resumed at step" in first.log.read_text())
    first.wait_for_checkpoint()
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(60) == 130, first.log.read_text()[-2000:]
    assert "the same command goes on from here" in first.log.read_text()
    assert not (run / "vae").exists()

    second = Training(run)
    second.wait_for_checkpoint()
    second.process.kill()
    second.process.wait(60)
    assert not (run / "vae").exists()
    # What a kill inside a write would leave as well.
    (folder,) = (run / "train_vae").iterdir()
    (folder / "checkpoint_manager_snapshot.json").write_text("")
    (folder / ".step-000000750-half").mkdir()

    resumed = run_module("jobs.train_vae", *WORDS, f"run={run}", **POLL)
    assert resumed.returncode == 0, resumed.stdout[-3000:]
    assert "resumed at step" in resumed.stdout
    expected = weights_of(unbroken)
    assert all(torch.equal(value, expected[name]) for name, value in weights_of(run).items())
    assert not list(folder.glob(".step-*"))
    assert len(list(folder.glob("step-*"))) <= 2


def test_two_workers_train_the_same_model_as_one(unbroken: Path, unbroken_by_two: Path) -> None:
    """Their gradients are equal to rounding (`tests/training/test_vae_training.py`), so the curves are too."""
    assert_same_curves(unbroken_by_two, unbroken)


def test_a_killed_node_ends_as_an_unbroken_run(
    mortal_head: Head, data: Path, unbroken_by_two: Path, tmp_path: Path
) -> None:
    """Two nodes of one CPU and a worker on each; one node dies and another takes its place."""
    run = copy_data(data, tmp_path / "run")
    controllers = processes_named("TrainController")
    training = Training(run, "vae.workers=2", **mortal_head.variables)
    # The driver joins through the head, the only node so far, and waits for CPUs.
    training.wait_for(lambda: processes_named("TrainController") - controllers)
    raylet = mortal_head.add_node(cpus=1)
    training.wait_for_checkpoint()
    kill(raylet)
    mortal_head.add_node(cpus=1)
    training.wait_for(lambda: "resumed at step" in training.log.read_text())
    assert training.process.wait(150) == 0, training.log.read_text()[-3000:]
    expected = weights_of(unbroken_by_two)
    for name, value in weights_of(run).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5)


def test_odd_pictures_are_named_and_a_stream_of_the_others_trains(head: Head, tmp_path: Path) -> None:
    folder = odd_folder(tmp_path / "in", good=180)
    words = [*TINY, f"run={tmp_path / 'run'}", f"data.source={folder}", "data.count=null", "vae.image_size=48"]
    prepared = run_module("jobs.prepare_data", *words)
    assert prepared.returncode == 0, prepared.stdout[-2000:]
    with (tmp_path / "run/data/import_report.csv").open(newline="") as report:
        said = {Path(row["picture"]).name: row["what"] for row in csv.DictReader(report)}
    assert {name: said.get(name) for name in [*ODD, *BROKEN]} == {
        **dict.fromkeys(ODD, "converted"),
        **dict.fromkeys(BROKEN, "skipped"),
    }
    assert "skipped" in prepared.stdout
    stream = ["vae.input=stream", "vae.batch_size=16", "vae.steps=8"]
    streamed = run_module("jobs.train_vae", *words, *stream, **{**head.variables, **POLL})
    assert streamed.returncode == 0, streamed.stdout[-3000:]
    assert VAE.from_pretrained(tmp_path / "run/vae").config.image_size == 48


FEW = [
    "vae.hidden=512", "vae.blocks=0", "vae.start=pca", "vae.learn=refinement", "vae.refine=8", "vae.patience=2",
    "vae.augment=[mirror]", "vae.checkpoint_every=20",
]  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2])
def test_a_training_that_gains_nothing_ends_in_time(head: Head, data: Path, tmp_path: Path, workers: int) -> None:
    run = copy_data(data, tmp_path / "run")
    words = [*WORDS, *FEW, "vae.lr=0.0", f"vae.workers={workers}", f"run={run}"]
    result = run_module("jobs.train_vae", *words, **head.variables, **POLL)
    assert result.returncode == 0, result.stdout[-3000:]
    assert result.stdout.count("step 40: validation improves no more, so training ends here") == 1
    assert list(read_curves(run / "train_vae")["validation/psnr"][0]) == [0, 20, 40]
    record = json.loads((run / "stages/train_vae.json").read_text())
    assert record["metrics"]["best_step"] == 40  # of equal ones the last
    assert not any(name.startswith("encoder.blocks") for name in weights_of(run))


def test_patience_needs_something_to_validate_on(data: Path, tmp_path: Path) -> None:
    words = [*WORDS, *FEW, "vae.validation_pictures=0", f"run={copy_data(data, tmp_path / 'run')}"]
    result = run_module("jobs.train_vae", *words)
    assert result.returncode == 1
    assert "error: vae.patience" in result.stdout
