"""`ray up` with the on-premise cluster file, really run: SSH and rsync are stand-ins that act on this machine."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import ENVIRONMENT, ROOT, free_port

pytestmark = [pytest.mark.cluster, pytest.mark.integration]
BIN = Path(sys.executable).parent
STAND_INS = Path(__file__).parent / "stand_ins"
WORKER = "127.0.0.2"
PORT = 6391  # all ports lie outside 10002-19999, which Ray keeps for workers


@dataclass
class Site:
    """The machines that the cluster file describes, all of them this one, each with a home directory of its own."""

    head: Path
    worker: Path
    log: Path
    dashboard: str
    environment: dict[str, str]
    cluster_file: Path
    temporary: str

    def headers(self, home: Path) -> dict[str, str]:
        """What the dashboard asks of a client on the machine with this home."""
        return {"Authorization": f"Bearer {(home / '.ray/auth_token').read_text()}"}

    def working(self) -> list[dict[str, Any]]:
        """The nodes that are alive and not the head."""
        answer = httpx.get(f"{self.dashboard}/nodes?view=summary", headers=self.headers(self.head), timeout=10).json()
        raylets = [node["raylet"] for node in answer["data"]["summary"]]
        return [raylet for raylet in raylets if raylet["state"] == "ALIVE" and not raylet["isHeadNode"]]

    def autoscaler_log(self) -> str:
        logs = sorted(Path(self.temporary, "session_latest/logs").glob("monitor.*"))
        return "\n".join(f"{log.name}:\n{log.read_text()[-4000:]}" for log in logs)


def make_home(folder: Path) -> Path:
    """A machine's home with an environment in it already, but for its pip, which only notes what it was asked."""
    (folder / "swiggle/bin").mkdir(parents=True)
    # `ssh` and `rsync` too, for the head's autoscaler: its login shell forgets the path of whoever called.
    for program in (BIN / "python", BIN / "ray", STAND_INS / "ssh", STAND_INS / "rsync"):
        (folder / "swiggle/bin" / program.name).symlink_to(program)
    pip = folder / "swiggle/bin/pip"
    pip.write_text('#!/bin/sh\necho "pip $*" >> "$STAND_IN_LOG"\n')
    pip.chmod(0o755)
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    own, homes = tmp_path / "own", tmp_path / "homes"  # of the person who types `ray up`, and of the machines
    token = own / ".ray/auth_token"
    token.parent.mkdir(parents=True)
    token.write_text(secrets.token_hex(32))
    head_ip = socket.gethostbyname(socket.gethostname())
    head, worker = make_home(homes / head_ip), make_home(homes / WORKER)
    temporary, dashboard = f"/tmp/swiggle-up-{os.getpid()}", free_port()
    config = yaml.safe_load((ROOT / "deploy/on-premise.yaml").read_text())
    config["cluster_name"] = f"swiggle-{os.getpid()}"
    config["provider"] |= {"head_ip": head_ip, "worker_ips": [WORKER]}
    config["max_workers"] = 1
    config["auth"] = {"ssh_user": "ubuntu"}
    small = "--object-store-memory=100000000"
    for node, more in (("head", f"--temp-dir={temporary}"), ("worker", "--dashboard-agent-listen-port=52399")):
        # Without `ray stop`, which would stop every Ray on this machine.
        config[f"{node}_start_ray_commands"] = [
            f"{command} {small} {more}".replace("6379", str(PORT)).replace("8265", str(dashboard))
            for command in config[f"{node}_start_ray_commands"]
            if not command.endswith("ray stop")
        ]
    cluster_file = tmp_path / "cluster.yaml"
    cluster_file.write_text(yaml.safe_dump(config))
    environment = {
        **ENVIRONMENT, "PATH": f"{STAND_INS}:{BIN}:{os.environ['PATH']}", "HOME": str(own), "RAY_AUTH_MODE": "token",
        "STAND_IN_HOMES": str(homes), "STAND_IN_LOG": str(tmp_path / "log"), "RAY_USAGE_STATS_ENABLED": "0",
    }  # fmt: skip
    yield Site(head, worker, tmp_path / "log", f"http://127.0.0.1:{dashboard}", environment, cluster_file, temporary)
    # Only this cluster's processes: every one of them names its temporary directory.
    subprocess.run(["pkill", "-KILL", "-f", temporary], check=False)
    shutil.rmtree(temporary, ignore_errors=True)
    for left in Path("/tmp/ray").glob(f"cluster-{config['cluster_name']}.*"):
        left.unlink()


def test_ray_up_brings_up_a_head_and_a_worker_that_ask_for_the_token(site: Site) -> None:
    up = subprocess.run(
        [str(BIN / "ray"), "up", "--yes", "--no-config-cache", str(site.cluster_file)],
        cwd=ROOT, env=site.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180,
        check=False,
    )  # fmt: skip
    assert up.returncode == 0, up.stdout[-4000:]
    jobs = f"{site.dashboard}/api/jobs/"
    assert httpx.get(jobs, timeout=10).status_code == 401

    # The head's autoscaler then brings up the worker, from what the head was given.
    deadline = time.monotonic() + 120
    while not (working := site.working()):
        assert time.monotonic() < deadline, site.autoscaler_log()
        time.sleep(0.5)
    assert len(working) == 1
    for home in (site.head, site.worker):
        assert (home / "swiggle-source/pyproject.toml").is_file()
        assert not (home / "swiggle-source/.git").exists()
        assert (home / ".ray/auth_token").stat().st_mode & 0o777 == 0o600
        assert f"pip install --quiet --constraint {home}/swiggle-source/constraints.txt" in site.log.read_text()
        assert httpx.get(jobs, headers=site.headers(home), timeout=10).status_code == 200
