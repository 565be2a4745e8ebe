"""Training on nodes that leave: with fewer workers when no other node comes, and with one more checkpoint when a node
says that it is about to go."""

from pathlib import Path

import pytest
import torch

from tests.cluster.conftest import Cluster
from tests.jobs import test_train_vae
from tests.jobs.test_train_vae import Training, assert_same_curves, copy_data, weights_of

pytestmark = [pytest.mark.cluster, pytest.mark.integration]


nothing_left_running = test_train_vae.nothing_left_running


def on(cluster: Cluster, run: Path, *words: str, **environment: str) -> Training:
    return Training(run, *words, **cluster.environment, RAY_ADDRESS=cluster.address, **environment)


def test_an_elastic_run_goes_on_with_the_workers_that_are_left(
    cluster: Cluster, unbroken: Path, words: list[str], tmp_path: Path
) -> None:
    run = copy_data(unbroken, tmp_path / "run")
    training = on(cluster, run, *words, "vae.min_workers=1", RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S="10")
    training.wait_for_checkpoint()
    assert len(cluster.processes("RayTrainWorker")) == 2
    cluster.lose(cluster.wait_for_a_node_of("RayTrainWorker"))
    training.wait_for(lambda: "resumed at step" in training.log.read_text())
    assert len(cluster.processes("RayTrainWorker")) == 1
    assert training.process.wait(150) == 0, training.log.read_text()[-3000:]
    cluster.gain_a_node()
    # The global batch stays what it was, so one worker goes on with what two would have done.
    assert_same_curves(run, unbroken)


def test_a_node_that_announces_its_end_leaves_time_for_a_checkpoint(
    cluster: Cluster, unbroken: Path, words: list[str], tmp_path: Path
) -> None:
    run = copy_data(unbroken, tmp_path / "run")
    seldom = ["vae.checkpoint_every=600", "vae.log_every=10"]
    training = on(cluster, run, *words, *seldom, RAY_TRAIN_PREEMPTION_POLL_INTERVAL_S="0.2")
    training.wait_for(lambda: len(cluster.processes("RayTrainWorker")) == 2)
    leaving = cluster.wait_for_a_node_of("RayTrainWorker")
    cluster.drain(leaving)
    training.wait_for_checkpoint()
    assert training.listed() != "step-000000600"
    cluster.lose(leaving)
    cluster.gain_a_node()
    training.wait_for(lambda: "resumed at step" in training.log.read_text())
    assert training.process.wait(150) == 0, training.log.read_text()[-3000:]
    expected = weights_of(unbroken)
    for name, value in weights_of(run).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-5)
