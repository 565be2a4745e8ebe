"""Of what workers write, what is shown and what is kept."""

from pathlib import Path
from typing import Any

import pytest

from jobs.runtime.worker_output import WorkerOutput, divert


def told(*lines: str, is_err: bool = False, pid: object = 7, actor: str | None = "RayTrainWorker") -> dict[str, Any]:
    return {"lines": list(lines), "is_err": is_err, "pid": pid, "actor_name": actor, "task_name": None, "ip": "::1"}


PROGRESS = "[10:00:10] train_vae: step 1/9, 2.0 min left"


def test_progress_is_shown_and_the_rest_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = WorkerOutput(tmp_path / "logs" / "workers.log")
    output(told(PROGRESS, "core_worker.cc: an actor has arguments"))
    output(told("Traceback (most recent call last):", PROGRESS, is_err=True, pid=8))
    output(told("warned", actor=None))
    assert capsys.readouterr().out.splitlines() == [PROGRESS]
    kept = (tmp_path / "logs" / "workers.log").read_text()
    assert "(RayTrainWorker 7) core_worker.cc: an actor has arguments" in kept
    assert "(RayTrainWorker 8) Traceback (most recent call last):" in kept
    assert "(process 7) warned" in kept
    assert kept.count(PROGRESS) == 1


def test_why_a_node_kills_its_workers_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    output = WorkerOutput(None)  # a run on remote storage
    output(told("1 Workers killed due to memory pressure (OOM)", "a worker has ended", pid="raylet", actor=None))
    assert capsys.readouterr().out.splitlines() == ["1 Workers killed due to memory pressure (OOM)"]


def test_what_workers_write_goes_to_one_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ray._private.ray_logging import global_worker_stdstream_dispatcher as dispatcher

    before = list(dispatcher.handlers)
    try:
        dispatcher.add_handler("ray_print_logs", lambda told: print("(pid) said"))
        for _ in range(2):  # a pipeline connects at every stage
            divert(str(tmp_path))
        dispatcher.emit(told(PROGRESS, "noise"))
    finally:
        dispatcher.handlers = before
    assert capsys.readouterr().out.splitlines() == [PROGRESS]
    assert (tmp_path / "logs/workers.log").read_text().count("noise") == 1
