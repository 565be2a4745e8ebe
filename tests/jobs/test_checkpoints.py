"""Checkpoints that a kill cuts short, without a cluster."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.checkpoints import SNAPSHOT, mend, name_of, uploader
from tests.conftest import ENVIRONMENT, ROOT

# Stores a checkpoint whose second file takes for ever to copy.
SLOW_UPLOAD = """
import shutil, sys, time
from pathlib import Path
from ray.train import Checkpoint
from jobs.checkpoints import uploader
copy = shutil.copy2
def slow(source, target, **options):
    if Path(source).name == "b":
        print("half written", flush=True)
        time.sleep(600)
    return copy(source, target, **options)
def copytree(source, target, **options):
    for path in sorted(Path(source).iterdir()):
        slow(path, Path(target) / path.name)
shutil.copytree = copytree
uploader(sys.argv[1])(Checkpoint.from_directory(sys.argv[2]), sys.argv[3])
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(name * 1_000)
    return folder


def test_a_stored_checkpoint_replaces_one_of_its_name(tmp_path: Path, state: Path) -> None:
    from ray.train import Checkpoint

    run = tmp_path / "run"
    for _ in range(2):
        stored = uploader(str(run))(Checkpoint.from_directory(str(state)), name_of(500))
    assert stored.path == str(run / "step-000000500")
    assert sorted(p.name for p in Path(stored.path).iterdir()) == ["a", "b"]


@pytest.mark.integration
def test_a_kill_inside_the_write_leaves_nothing_that_counts(tmp_path: Path, state: Path) -> None:
    from ray.train import Checkpoint

    run = tmp_path / "run"
    uploader(str(run))(Checkpoint.from_directory(str(state)), name_of(500))
    # Both a new checkpoint and one that is being written again.
    for step in (500, 1000):
        command = [sys.executable, "-c", SLOW_UPLOAD, str(run), str(state), name_of(step)]
        with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as writing:
            assert writing.stdout is not None
            assert writing.stdout.readline() == "half written\n"
            writing.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 10
        while writing.poll() is None:
            assert time.monotonic() < deadline
    assert sorted(p.name for p in run.iterdir() if not p.name.startswith(".")) == ["step-000000500"]
    assert sorted(p.name for p in (run / "step-000000500").iterdir()) == ["a", "b"]
    assert [p for p in run.iterdir() if p.name.startswith(".")]
    assert mend(str(run)) is None
    assert [p.name for p in run.iterdir()] == ["step-000000500"]


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
