"""Checkpoints that a kill cuts short, without a cluster."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ray.train import Checkpoint

from jobs.runtime.checkpoints import FILES, SNAPSHOT, mend, name_of, scratch, uploader
from tests.conftest import ENVIRONMENT, ROOT

# Writes a checkpoint whose second file takes for ever.
SLOW_WRITE = """
import sys, time, torch
from jobs.runtime.checkpoints import scratch
from swiggle.training.vae_training import VAETraining
from tests.training.test_vae_training import CONFIG
def half(state, path):
    path.write_bytes(b"half")
    print("half written", flush=True)
    time.sleep(600)
torch.save = half
VAETraining(CONFIG, torch.device("cpu")).save(scratch(sys.argv[1]))
"""


def stored(run: Path, step: int) -> Path:
    """Write and store a checkpoint as a worker does."""
    folder = scratch(str(run))
    (folder / "vae").mkdir()
    for name in FILES:
        (folder / name).write_text(f"{name} {step}")
    return Path(uploader(str(run))(Checkpoint.from_directory(str(folder)), name_of(step)).path)


def test_a_stored_checkpoint_replaces_one_of_its_name(tmp_path: Path) -> None:
    for _ in range(2):
        folder = stored(tmp_path, 500)
    assert folder == tmp_path / "step-000000500"
    assert sorted(p.name for p in folder.iterdir()) == ["training.pt", "vae"]
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.integration
def test_a_kill_inside_the_write_leaves_nothing_that_counts(tmp_path: Path) -> None:
    whole = stored(tmp_path, 500)
    command = [sys.executable, "-c", SLOW_WRITE, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as writing:
        assert writing.stdout is not None
        assert writing.stdout.readline() == "half written\n"
        writing.send_signal(signal.SIGKILL)
    (half,) = set(tmp_path.iterdir()) - {whole}
    assert {p.name for p in half.iterdir()} == {"vae", "training.pt"}
    assert not half.name.startswith("step-")
    assert mend(str(tmp_path)) == str(whole)
    assert list(tmp_path.iterdir()) == [whole]


@pytest.mark.parametrize("cut", [0, 1, 20, None])
def test_a_lost_list_gives_way_to_the_newest_whole_checkpoint(tmp_path: Path, cut: int | None) -> None:
    for step in (500, 1000, 1500):
        stored(tmp_path, step)
    (tmp_path / name_of(1500) / "training.pt").unlink()
    if cut is not None:
        (tmp_path / SNAPSHOT).write_text(json.dumps({"checkpoint_results": [], "current_report_index": 3})[:cut])
    for _ in range(2):  # also when the run is killed again before it has reported anything
        assert mend(str(tmp_path)) == str(tmp_path / "step-000001000")
        assert not (tmp_path / SNAPSHOT).exists()


def test_a_sound_run_is_left_alone(tmp_path: Path) -> None:
    assert mend(str(tmp_path / "nothing yet")) is None
    stored(tmp_path, 500)
    sound = json.dumps({"latest_checkpoint_result": {"checkpoint_dir_name": name_of(500)}})
    (tmp_path / SNAPSHOT).write_text(sound)
    assert mend(str(tmp_path)) is None
    assert (tmp_path / SNAPSHOT).read_text() == sound
    (tmp_path / SNAPSHOT).write_text(json.dumps({"latest_checkpoint_result": None}))
    assert mend(str(tmp_path)) == str(tmp_path / name_of(500))


def test_the_installed_ray_keeps_the_list_that_is_mended() -> None:
    from ray.train.v2._internal.execution.checkpoint.checkpoint_manager import _CheckpointManagerState

    assert SNAPSHOT == "checkpoint_manager_snapshot.json", "runs of before have their list under this name"
    assert "latest_checkpoint_result" in _CheckpointManagerState.model_fields, "jobs/runtime/checkpoints.py reads it"
