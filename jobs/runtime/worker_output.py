"""What workers write: progress is shown, the rest is kept in a file.

Ray sends a driver every line that any process of its job writes: progress, but also notes of its own, warnings of
libraries, and tracebacks of processes that are being ended. Lines of progress are shown as they were said, without the
process that said them. The others are kept in `<run>/logs/workers.log`; of a run on remote storage they are only in
Ray's own logs, where all are. What fails is raised in the command itself, which says which file to look at.
"""

import logging
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

# Private: there is no other way to what workers write. pyproject.toml pins Ray to the minor version.
from ray._private.ray_logging import global_worker_stdstream_dispatcher
from ray._private.worker import filter_autoscaler_events

from jobs.runtime.screen import OURS, screen
from jobs.runtime.stage import logs_folder

MATTERS = re.compile(r"memory|no space|disk", re.IGNORECASE)
"""Of what Ray says of a node: why it kills what runs there. Work is tried again, and would only seem slow."""
MOST_BYTES = 16 * 1024 * 1024
"""Of the file and of the one before it. A run leaves some hundred lines; a library that repeats a warning, millions."""
_RAYS_OWN, _OURS = "ray_print_logs", "swiggle"
"""Names of handlers."""


class WorkerOutput:
    """Takes what workers write: shows what is ours and what matters, keeps the rest in a file, if it is given one."""

    def __init__(self, file: Path | None) -> None:
        self._kept = logging.Logger("workers")  # of its own: nothing that is set for others changes it
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            handler = RotatingFileHandler(file, maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8", delay=True)
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            self._kept.addHandler(handler)

    def __call__(self, told: dict[str, Any]) -> None:
        """Lines of one process, as Ray sends them."""
        if told["pid"] == "autoscaler":  # its table every few seconds, and now and then that it waits for a node
            for event in filter_autoscaler_events(told["lines"]):
                screen.show(event)
            return
        who = f"{told.get('actor_name') or told.get('task_name') or 'process'} {told['pid']}"
        for line in told["lines"]:
            if OURS.match(line) and not told["is_err"]:
                screen.show(line)
                continue
            if told["pid"] == "raylet" and MATTERS.search(line):
                screen.show(line)
            if self._kept.handlers:
                self._kept.info("(%s) %s", who, line)


def divert(run: str) -> None:
    """Once connected to a cluster: take what workers write out of Ray's hands."""
    for name in (_RAYS_OWN, _OURS):
        global_worker_stdstream_dispatcher.remove_handler(name)
    logs = logs_folder(run)
    global_worker_stdstream_dispatcher.add_handler(_OURS, WorkerOutput(logs and logs / "workers.log"))
