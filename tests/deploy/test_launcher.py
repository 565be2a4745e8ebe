"""`ray up` with the on-premise cluster file, really run: SSH and rsync are stand-ins that act on this machine."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from tests.conftest import ENVIRONMENT, ROOT, free_port

pytestmark = [pytest.mark.cluster, pytest.mark.integration]
BIN = Path(sys.executable).parent
STAND_INS = Path(__file__).parent / "stand_ins"
PORT = 6391  # all ports lie outside 10002-19999, which Ray keeps for workers


@dataclass
class Site:
    """The machines that the cluster file describes, all of them this one."""

    home: Path
    log: Path
    dashboard: str
    environment: dict[str, str]
    cluster_file: Path
    temporary: str

    def nodes(self) -> list[str]:
        """Addresses of the nodes that are alive."""
        headers = {"Authorization": f"Bearer {(self.home / '.ray/auth_token').read_text()}"}
        answer = httpx.get(f"{self.dashboard}/nodes?view=summary", headers=headers, timeout=10).json()
        return [n["ip"] for n in answer["data"]["summary"] if n["raylet"]["state"] == "ALIVE"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    own, home = tmp_path / "own", tmp_path / "home"  # of the person who types `ray up`, and of the machines
    token = own / ".ray/auth_token"
    token.parent.mkdir(parents=True)
    token.write_text(secrets.token_hex(32))
    # An environment is there already, but for its pip, which only notes what it was asked.
    (home / "swiggle/bin").mkdir(parents=True)
    for name in ("python", "ray"):
        (home / "swiggle/bin" / name).symlink_to(BIN / name)
    pip = home / "swiggle/bin/pip"
    pip.write_text('#!/bin/sh\necho "pip $*" >> "$STAND_IN_LOG"\n')
    pip.chmod(0o755)

    temporary, dashboard = f"/tmp/swiggle-up-{os.getpid()}", free_port()
    config = yaml.safe_load((ROOT / "deploy/on-premise.yaml").read_text())
    config["cluster_name"] = f"swiggle-{os.getpid()}"
    config["provider"] |= {"head_ip": socket.gethostbyname(socket.gethostname()), "worker_ips": ["127.0.0.2"]}
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
        "STAND_IN_HOME": str(home), "STAND_IN_LOG": str(tmp_path / "log"), "RAY_USAGE_STATS_ENABLED": "0",
    }  # fmt: skip
    yield Site(home, tmp_path / "log", f"http://127.0.0.1:{dashboard}", environment, cluster_file, temporary)
    # Only this cluster's processes: every one of them names its temporary directory.
    subprocess.run(["pkill", "-KILL", "-f", temporary], check=False)
    shutil.rmtree(temporary, ignore_errors=True)
    for left in Path("/tmp/ray").glob(f"cluster-{config['cluster_name']}.*"):
        left.unlink()


def test_ray_up_brings_up_a_cluster_that_asks_for_the_token(site: Site) -> None:
    up = subprocess.run(
        [str(BIN / "ray"), "up", "--yes", "--no-config-cache", str(site.cluster_file)],
        cwd=ROOT, env=site.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180,
        check=False,
    )  # fmt: skip
    assert up.returncode == 0, up.stdout[-4000:]
    assert (site.home / "swiggle-source/pyproject.toml").is_file()
    assert not (site.home / "swiggle-source/.git").exists()
    assert (site.home / ".ray/auth_token").stat().st_mode & 0o777 == 0o600
    assert f"pip install --quiet --constraint {site.home}/swiggle-source/constraints.txt" in site.log.read_text()

    jobs = f"{site.dashboard}/api/jobs/"
    assert httpx.get(jobs, timeout=10).status_code == 401
    token = (site.home / ".ray/auth_token").read_text()
    assert httpx.get(jobs, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code == 200

    assert len(site.nodes()) == 1  # the head; that its autoscaler starts the others is not shown here
