"""Checkpoints that a kill cuts short, without a cluster."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ray.train import Checkpoint

from jobs.checkpoints import SNAPSHOT, mend, name_of, scratch, uploader
from tests.conftest import ENVIRONMENT, ROOT

# Writes a checkpoint whose second file takes for ever.
SLOW_WRITE = """
import sys, time, torch
from jobs.checkpoints import scratch
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
    """Write and store a checkpoint of two files as a worker does."""
    folder = scratch(str(run))
    for name in ("a", "b"):
        (folder / name).write_text(f"{name} {step}")
    return Path(uploader(str(run))(Checkpoint.from_directory(str(folder)), name_of(step)).path)


def test_a_stored_checkpoint_replaces_one_of_its_name(tmp_path: Path) -> None:
    for _ in range(2):
        folder = stored(tmp_path, 500)
    assert folder == tmp_path / "step-000000500"
    assert sorted(p.name for p in folder.iterdir()) == ["a", "b"]
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
    assert mend(str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == [whole]


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_a_list_that_was_cut_short_gives_way_to_the_newest_checkpoint(tmp_path: Path, cut: int) -> None:
    for step in (500, 1000, 1500):
        (tmp_path / name_of(step)).mkdir()
    whole = json.dumps({"checkpoint_results": [], "current_report_index": 3})
    (tmp_path / SNAPSHOT).write_text(whole[:cut])
    assert mend(str(tmp_path)) == str(tmp_path / "step-000001500")
    assert not (tmp_path / SNAPSHOT).exists()


def test_a_sound_run_is_left_alone(tmp_path: Path) -> None:
    assert mend(str(tmp_path / "nothing yet")) is None
    (tmp_path / name_of(500)).mkdir()
    (tmp_path / SNAPSHOT).write_text("{}")
    assert mend(str(tmp_path)) is None
    assert (tmp_path / SNAPSHOT).exists()
