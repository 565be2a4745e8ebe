"""`ray job submit` against a `ray start --head` with token authentication, and the cluster file."""

import sys
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.conftest import ROOT, TINY
from tests.jobs.conftest import Head

pytestmark = pytest.mark.integration


def test_the_pipeline_as_a_job(head: Head, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "jobs.pipeline", *TINY, f"run={run}"]
    submitted = head.ray("job", "submit", "--working-dir", ".", "--submission-id", "tiny", "--", *command)
    assert submitted.returncode == 0, submitted.stdout[-4000:]
    assert "bundle ready" in submitted.stdout
    assert (run / "bundle.json").is_file()
    assert "succeeded" in head.ray("job", "status", "tiny").stdout
    refused = head.ray("job", "list", RAY_AUTH_TOKEN="0" * 64)
    assert refused.returncode != 0


def test_the_cluster_file_is_valid_for_the_launcher() -> None:
    config = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    validate_config(prepare_config(config))
    started = " ".join(config["head_start_ray_commands"] + config["worker_start_ray_commands"])
    assert started.count("RAY_AUTH_MODE=token") == 4
    assert "--dashboard-host=127.0.0.1" in started
