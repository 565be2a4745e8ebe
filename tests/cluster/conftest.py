"""A cluster of several Ray nodes, a server that speaks S3, and the run that others are compared with."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from botocore.config import Config

from tests.conftest import TINY, free_port, run_module
from tests.jobs.conftest import Head, kill, processes_named

MADE = ("vae", "sae", "atlas", "index")
"""What a bundle is made of: equal byte for byte between runs."""

BRISK = {
    "RAY_worker_niceness": "0",
    "RAY_num_workers_soft_limit": "4",
    "RAY_health_check_period_ms": "1000",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
}
"""Ray that does not give way to other programs, keeps idle processes, which are dear to start, and looks often at its
nodes and at the workers of a training."""


class Cluster(Head):
    """A head without CPUs, as on a real cluster, and two nodes that work."""

    def __init__(self) -> None:
        super().__init__(cpus=0, RAY_metrics_report_interval_ms="4000", **BRISK)
        self._workers = [self.add_node(cpus=1), self.add_node(cpus=1)]

    def submit(self, name: str, *command: str, wait: bool = True) -> subprocess.CompletedProcess:
        """`ray job submit` of a Python command."""
        how = ["--working-dir", ".", "--submission-id", name, *([] if wait else ["--no-wait"])]
        submitted = self.ray("job", "submit", *how, "--", sys.executable, *command)
        assert submitted.returncode == 0, submitted.stdout[-4000:]
        return submitted

    def log_lines(self, name: str, holding: str) -> list[str]:
        """Lines that hold a word, of the Serve logs whose names begin so, on all nodes."""
        files = Path("/tmp").glob(f"{Path(self.temporary).name}*/session_*/logs/serve/{name}*.log")
        return [line for file in files for line in file.read_text().splitlines() if holding in line]

    def processes(self, title: str) -> set[int]:
        """Process ids of the Ray processes on all nodes whose titles begin so."""
        return {process for node in self._workers for process in processes_named(title, of=node)}

    def wait_for_a_node_of(self, title: str) -> int:
        """A node that runs such a process, as soon as one does."""
        deadline = time.monotonic() + 120
        while not (nodes := [node for node in self._workers if processes_named(title, of=node)]):
            assert time.monotonic() < deadline, f"no node runs a {title}"
            time.sleep(0.05)
        return nodes[0]

    def lose(self, node: int) -> None:
        kill(node)
        self._workers.remove(node)

    def gain_a_node(self) -> None:
        self._workers.append(self.add_node(cpus=1))

    def replace_the_node_of(self, title: str) -> None:
        """Kill the node that runs such a process, and start another in its place."""
        self.lose(self.wait_for_a_node_of(title))
        self.gain_a_node()


@pytest.fixture(scope="package")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The settings of every run here. Two workers train, so that all runs compute the same wherever they are; long
    enough to be disturbed; pictures without traits, which the reports then leave out."""
    folder = tmp_path_factory.mktemp("pictures")
    prepared = run_module("jobs.prepare_data", *TINY, f"run={folder / 'run'}")
    assert prepared.returncode == 0, prepared.stdout
    pq.write_table(rows_of(folder / "run/data").select(["image", "caption"]), folder / "pictures.parquet")
    return [
        *TINY, f"data.source={folder / 'pictures.parquet'}", "data.count=null", "vae.workers=2",
        "vae.cpus_per_worker=1", "vae.batch_size=32", "vae.steps=600", "vae.checkpoint_every=150",
        "vae.validation_pictures=30", "vae.bf16=never", "sae.epochs=16", "sweep.objectives=[l1]",
    ]  # fmt: skip


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    yield running
    running.stop()


class Prometheus:
    """A Prometheus that scrapes the cluster's nodes, wherever Ray says they are."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        nodes = {"files": [f"{cluster.temporary}/prom_metrics_service_discovery.json"], "refresh_interval": "2s"}
        scrape = {"job_name": "ray", "scrape_interval": "1s", "file_sd_configs": [nodes]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [scrape]}))
        port = free_port()
        self._url = f"http://127.0.0.1:{port}/api/v1/query_range"
        self._start = time.time()
        with (folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}"],
                stdout=log, stderr=log,
            )  # fmt: skip

    def series(self, query: str) -> list[dict[str, Any]]:
        """What a panel that shows everything since the start would draw."""
        asked = {"query": query, "start": self._start, "end": time.time(), "step": 2}
        answer = httpx.get(self._url, params=asked, timeout=30).json()
        assert answer["status"] == "success", (query, answer)
        return answer["data"]["result"]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture(scope="package")
def prometheus(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    running = Prometheus(cluster, tmp_path_factory.mktemp("prometheus"))
    yield running
    running.stop()


@pytest.fixture(scope="package")
def unbroken(
    cluster: Cluster, prometheus: Prometheus, words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The whole pipeline as one job from the command line, undisturbed, on local storage."""
    run = tmp_path_factory.mktemp("unbroken") / "run"
    submitted = cluster.submit("unbroken", "-m", "jobs.pipeline", *words, f"run={run}")
    assert "bundle ready" in submitted.stdout
    return run


class ObjectStore:
    """A server that speaks S3, with one bucket. It keeps its objects while it is down."""

    def __init__(self) -> None:
        self._port = free_port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        retries = Config(retries={"max_attempts": 10, "mode": "standard"})
        self.s3 = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self._port}", region_name="us-east-1", config=retries
        )
        self.s3.create_bucket(Bucket="runs")

    def down(self) -> None:
        """Stop answering, on connections that are open too."""
        self._process.send_signal(signal.SIGSTOP)

    def up(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def uri(self, path: str) -> str:
        return f"s3://runs/{path}?endpoint_override=127.0.0.1:{self._port}&scheme=http"

    def objects(self, prefix: str) -> set[str]:
        """Names of the objects below a prefix that are no mere marks of folders."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="runs", Prefix=prefix)
        names = {entry["Key"] for page in pages for entry in page.get("Contents", [])}
        return {name for name in names if not name.endswith("/")}


@pytest.fixture(scope="package")
def object_store() -> Iterator[ObjectStore]:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        store = ObjectStore()
        yield store
        store.stop()


def rows_of(folder: Path) -> pa.Table:
    """The rows of all Parquet files below a folder, in order of id; files that begin with _ are none of its rows."""
    return pa.concat_tables(pq.read_table(file) for file in sorted(folder.rglob("[!_]*.parquet"))).sort_by("id")


def same_artefacts(one: Path, other: Path) -> None:
    """Two runs made the same pictures, latents and bundle. Parquet that Ray Data wrote is compared by its rows: the
    files are named at random and split by who was free."""
    for name in ("data", "latents", "activations"):
        assert rows_of(one / name).equals(rows_of(other / name)), name
    for part in MADE:
        files = sorted(path.relative_to(one) for path in (one / part).rglob("*") if path.is_file())
        assert files == sorted(path.relative_to(other) for path in (other / part).rglob("*") if path.is_file())
        for file in files:
            assert (one / file).read_bytes() == (other / file).read_bytes(), file


def variables() -> dict[str, str]:
    """The keys for the object store, for a process with an environment of its own."""
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
