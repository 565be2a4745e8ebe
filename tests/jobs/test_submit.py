"""`ray job submit` against a `ray start --head` with token authentication, and the cluster file."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.conftest import ENVIRONMENT, ROOT, TINY, free_port

pytestmark = pytest.mark.integration
BIN = Path(sys.executable).parent


def ray(*arguments: str, environment: dict[str, str], timeout: float = 400) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(BIN / "ray"), *arguments],
        cwd=ROOT, env=environment, timeout=timeout, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@pytest.fixture
def head() -> Iterator[dict[str, str]]:
    """A head node of our own; yields the environment that a client needs."""
    port, dashboard = 6390, free_port()  # all outside 10002-19999, which Ray keeps for workers
    # The temporary directory's path becomes part of socket names, which may have 107 characters.
    temporary = f"/tmp/swiggle-{os.getpid()}"
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    environment = {**ENVIRONMENT, **token, "PATH": f"{BIN}:{os.environ['PATH']}"}
    started = ray(
        "start", "--head", f"--port={port}", "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
        "--num-cpus=4", "--object-store-memory=200000000", f"--temp-dir={temporary}",
        "--dashboard-agent-listen-port=52411", "--ray-client-server-port=25061",
        environment=environment,
    )  # fmt: skip
    assert started.returncode == 0, started.stdout
    client = {**environment, "RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}"}
    yield client
    # Only this head's processes: every one of them names its temporary directory.
    subprocess.run(["pkill", "-KILL", "-f", temporary], check=False)
    shutil.rmtree(temporary, ignore_errors=True)


def test_the_pipeline_as_a_job(head: dict[str, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "jobs.pipeline", *TINY, f"run={run}"]
    submitted = ray("job", "submit", "--working-dir", ".", "--submission-id", "tiny", "--", *command, environment=head)
    assert submitted.returncode == 0, submitted.stdout[-4000:]
    assert "bundle ready" in submitted.stdout
    assert (run / "bundle.json").is_file()
    assert "succeeded" in ray("job", "status", "tiny", environment=head).stdout
    refused = ray("job", "list", environment={**head, "RAY_AUTH_TOKEN": "0" * 64})
    assert refused.returncode != 0


def test_the_cluster_file_is_valid_for_the_launcher() -> None:
    config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    validate_config(prepare_config(config))
    started = " ".join(config["head_start_ray_commands"] + config["worker_start_ray_commands"])
    assert started.count("RAY_AUTH_MODE=token") == 4
    assert "--dashboard-host=127.0.0.1" in started
