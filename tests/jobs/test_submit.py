"""`ray job submit` against a `ray start --head` with token authentication."""

import sys
from pathlib import Path

import pytest

from tests.conftest import TINY
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
