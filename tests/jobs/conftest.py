"""A Ray cluster of `ray start` nodes on this machine, with token authentication."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import ENVIRONMENT, ROOT, free_port

BIN = Path(sys.executable).parent
_heads = count()


class Head:
    """A head node of our own. `environment` is what a client or a driver needs."""

    def __init__(self, cpus: int, **environment: str) -> None:
        # The temporary directory's path becomes part of socket names, which may have 107 characters.
        self.temporary = f"/tmp/swiggle-{os.getpid()}h{next(_heads)}"
        self._port = free_port()  # as all ports outside 10002-19999, which Ray keeps for workers
        self._nodes = 0
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
        self.environment = {**ENVIRONMENT, **token, **environment, "PATH": f"{BIN}:{os.environ['PATH']}"}
        dashboard = free_port()
        self._start(
            "--head", f"--port={self._port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
            f"--ray-client-server-port={free_port()}", f"--num-cpus={cpus}", f"--temp-dir={self.temporary}",
        )  # fmt: skip
        self.environment["RAY_API_SERVER_ADDRESS"] = f"http://127.0.0.1:{dashboard}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def dashboard(self) -> str:
        return self.environment["RAY_API_SERVER_ADDRESS"]

    @property
    def headers(self) -> dict[str, str]:
        """What the dashboard asks of an HTTP client."""
        return {"Authorization": f"Bearer {self.environment['RAY_AUTH_TOKEN']}"}

    @property
    def variables(self) -> dict[str, str]:
        """What makes a job run on this cluster instead of starting one of its own."""
        return {**self.environment, "RAY_ADDRESS": self.address}

    def ray(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return self.run("ray", *arguments, **environment)

    def run(self, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """A program of the virtual environment, with what it needs to reach this cluster."""
        return subprocess.run(
            [str(BIN / program), *arguments],
            cwd=ROOT, env={**self.environment, **environment}, timeout=600, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def add_node(self, cpus: int) -> int:
        """Start another node; returns the process id of its raylet, with which the node lives and dies."""
        before = self._raylets()
        # A folder of its own: nodes that share one delete each other's copies of a job's working directory.
        self._start(
            f"--address={self.address}", f"--num-cpus={cpus}", f"--temp-dir={self.temporary}-{self._nodes}"
        )  # fmt: skip
        (raylet,) = self._raylets() - before
        return raylet

    def drain(self, raylet: int) -> None:
        """Announce that a node is about to be taken away, as a cloud does of spot instances."""
        words = Path(f"/proc/{raylet}/cmdline").read_text().split("\0")
        node = next(word.partition("=")[2] for word in words if word.startswith("--node_id="))
        drained = self.ray(
            "drain-node", f"--address={self.address}", f"--node-id={node}", "--reason=DRAIN_NODE_REASON_PREEMPTION",
            "--reason-message=spot", "--deadline-remaining-seconds=60",
        )  # fmt: skip
        assert drained.returncode == 0, drained.stdout

    def stop(self) -> None:
        # Only this cluster's processes: every one of them names a temporary directory of its nodes.
        for folder in (self.temporary, *(f"{self.temporary}-{node}" for node in range(self._nodes))):
            subprocess.run(["pkill", "-KILL", "-f", f"{folder}([/ ]|$)"], check=False)
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, *options: str) -> None:
        started = self.ray(
            "start", *options, "--object-store-memory=200000000",
            f"--dashboard-agent-listen-port={free_port()}",
        )  # fmt: skip
        self._nodes += 1
        assert started.returncode == 0, started.stdout

    def _raylets(self) -> set[int]:
        found = subprocess.run(
            ["pgrep", "-f", f"raylet/raylet .*{self.temporary}"], stdout=subprocess.PIPE, text=True, check=False
        )
        return {int(pid) for pid in found.stdout.split()}


@pytest.fixture(scope="session")
def head() -> Iterator[Head]:
    """A cluster of one node with four CPUs, which runs one thing after the other: no test may kill it."""
    running = Head(4, RAY_worker_niceness="0", RAY_num_workers_soft_limit="4")
    yield running
    running.stop()


@pytest.fixture
def mortal_head() -> Iterator[Head]:
    """A cluster of a test's own, of one node with one CPU, to which others are added and killed."""
    running = Head(1)
    yield running
    running.stop()


def processes_named(name: str, of: int | None = None) -> set[int]:
    """Process ids of Ray workers by their title; of all nodes, or of the one whose raylet has this process id."""
    parent = [] if of is None else ["-P", str(of)]
    found = subprocess.run(["pgrep", *parent, "-f", f"^ray::{name}"], stdout=subprocess.PIPE, text=True, check=False)
    return {int(pid) for pid in found.stdout.split()}


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
