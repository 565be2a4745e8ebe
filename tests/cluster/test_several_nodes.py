"""The pipeline over several nodes: as a job that is stopped and submitted again, with a node dying in every stage."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from ray.job_submission import JobStatus, JobSubmissionClient

from tests.cluster.conftest import Cluster, same_artefacts

pytestmark = [pytest.mark.cluster, pytest.mark.integration]


def test_the_job_api_refuses_whoever_has_no_token(cluster: Cluster) -> None:
    jobs = f"{cluster.dashboard}/api/jobs/"
    body = {"entrypoint": "id"}
    for headers in ({}, {"Authorization": f"Bearer {'0' * 64}"}):
        assert httpx.get(jobs, headers=headers, timeout=10).status_code in (401, 403)
        assert httpx.post(jobs, headers=headers, json=body, timeout=10).status_code in (401, 403)
    assert httpx.get(jobs, headers=cluster.headers, timeout=10).status_code == 200
    assert cluster.ray("job", "list", RAY_AUTH_TOKEN="0" * 64).returncode != 0


def test_a_pipeline_that_loses_nodes_and_is_stopped_ends_as_an_unbroken_one(
    cluster: Cluster, unbroken: Path, words: list[str], tmp_path: Path
) -> None:
    assert "succeeded" in cluster.ray("job", "status", "unbroken").stdout
    assert "seal_bundle: done" in cluster.ray("job", "logs", "unbroken").stdout

    client = JobSubmissionClient(cluster.dashboard, headers=cluster.headers)
    run = tmp_path / "run"
    command = ["-m", "jobs.pipeline", *words, f"run={run}"]

    def wait_in(job: str, what: Callable[[str], object]) -> str:
        """Wait until a job's log says something; returns the log."""
        deadline = time.monotonic() + 150
        while not what(log := client.get_job_logs(job)):
            assert client.get_job_status(job) not in (JobStatus.FAILED, JobStatus.STOPPED), log[-4000:]
            assert time.monotonic() < deadline, log[-4000:]
            time.sleep(0.2)
        return log

    # Stopped in the training, by the client.
    cluster.submit("stopped", *command, wait=False)
    wait_in("stopped", lambda log: any(run.glob("train_vae/*/step-*")))
    client.stop_job("stopped")
    while not client.get_job_status("stopped").is_terminal():
        time.sleep(0.2)
    assert client.get_job_status("stopped") == JobStatus.STOPPED
    assert not (run / "vae").exists()

    # Submitted again it goes on, and loses a node in every stage that computes on nodes.
    cluster.submit("again", *command, wait=False)
    wait_in("again", lambda log: "resumed at step" in log)
    cluster.replace_the_node_of("RayTrainWorker")
    wait_in("again", lambda log: log.count("resumed at step") > 1)
    wait_in("again", lambda log: "encode_latents: started" in log)
    cluster.replace_the_node_of("MapWorker")
    wait_in("again", lambda log: "epoch 2/" in log.partition("sweep_sae: started")[2])
    cluster.replace_the_node_of("ImplicitFunc")
    wait_in("again", lambda log: "build_atlas: started" in log)
    cluster.replace_the_node_of("MapWorker")
    log = wait_in("again", lambda log: "bundle ready" in log)
    for stage in ("train_vae", "encode_latents", "sweep_sae", "build_atlas"):
        assert log.count(f"{stage}: started") == 1
    same_artefacts(run, unbroken)
