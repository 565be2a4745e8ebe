"""What native code writes in a command is kept in a file; what the command says is shown."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.runtime.native_output import keep_native_output
from jobs.runtime.screen import OURS
from tests.conftest import ENVIRONMENT, ROOT, run_module

SAYS = """
import os, sys, warnings
from pathlib import Path
from jobs.runtime.native_output import keep_native_output
for file in sys.argv[1:]:
    keep_native_output(Path(file))
os.write(2, b"core_worker.cc: noise\\n")
warnings.warn("an odd number", RuntimeWarning)
print("error: ours", file=sys.stderr)
"""


def run_code(code: str, *arguments: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_the_rest_goes_to_the_file(tmp_path: Path) -> None:
    first, second = tmp_path / "logs/driver.log", tmp_path / "another/driver.log"
    done = run_code(SAYS, first)
    assert (done.returncode, done.stderr) == (0, "error: ours\n")
    assert "core_worker.cc: noise" in first.read_text()
    assert "RuntimeWarning: an odd number" in first.read_text()
    before = first.read_text()
    assert run_code(SAYS, first, second).stderr == "error: ours\n"
    assert first.read_text() == before
    assert "noise" in second.read_text()


def test_a_traceback_is_shown(tmp_path: Path) -> None:
    done = run_code(SAYS + "raise ValueError('a fault')", tmp_path / "driver.log")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: a fault"


def test_a_process_that_is_aborted_shows_where(tmp_path: Path) -> None:
    done = run_code(SAYS + "os.abort()", tmp_path / "driver.log")
    assert done.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in done.stderr


def test_a_stream_that_another_took_stays(tmp_path: Path) -> None:
    keep_native_output(tmp_path / "driver.log")  # under pytest, which has taken it
    assert not (tmp_path / "driver.log").exists()


@pytest.mark.integration
def test_a_job_shows_progress_alone(smoke_run: Path, tmp_path: Path) -> None:
    """With the stage whose actors Ray's core complains of."""
    run = Path(shutil.copytree(smoke_run, tmp_path / "run"))
    (run / "stages/encode_latents.json").unlink()
    done = run_module("jobs.encode_latents", "preset=smoke", f"run={run}")
    assert done.returncode == 0, done.stdout[-3000:]
    lines = done.stdout.splitlines()
    assert [line for line in lines if not OURS.match(line)] == []
    assert len(lines) == 2  # started, done
    assert "core_worker.cc" in (run / "logs/driver.log").read_text()
    assert json.loads((run / "stages/encode_latents.json").read_text())["id"]
