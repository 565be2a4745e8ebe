"""The served graph on several nodes: a new bundle under load, a node dying under load, and the dashboard's panels."""

import base64
import json
import math
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.cluster.conftest import MADE, Cluster, Prometheus
from tests.conftest import ROOT, free_port

pytestmark = [pytest.mark.cluster, pytest.mark.integration]
CLIENTS = 4
PAUSE_SECONDS = 0.2
"""Between a client's answer and its next request, so that what is to be started beside the load finds a processor."""


class Served:
    """serve/config.yaml on the cluster, fused: two Gateways, which Serve spreads over the nodes, and a Retrieval."""

    def __init__(self, cluster: Cluster, bundle: Path, folder: Path) -> None:
        self._cluster, self._file = cluster, folder / "config.yaml"
        config = yaml.safe_load((ROOT / "serve/config.yaml").read_text())
        config["proxy_location"] = "HeadOnly"  # all nodes share this machine's ports
        config["http_options"]["port"] = free_port()
        config["logging_config"] |= {"log_level": "INFO", "enable_access_log": True}
        application = config["applications"][0]
        application["args"] |= {"bundle": str(bundle), "placement": "fused"}
        little = {"ray_actor_options": {"num_cpus": 0.2}}
        application["deployments"] = [{"name": name, **little} for name in ("Gateway", "Retrieval")]
        self._config = config
        self.url = f"http://127.0.0.1:{config['http_options']['port']}"
        self.deploy(bundle)

    def deploy(self, bundle: Path) -> None:
        """Bring out a bundle, and wait until it is served."""
        self._config["applications"][0]["args"]["bundle"] = str(bundle)
        self._file.write_text(yaml.safe_dump(self._config))
        told = self._cluster.run("serve", "deploy", str(self._file), RAY_DASHBOARD_ADDRESS=self._cluster.dashboard)
        assert told.returncode == 0, told.stdout
        self.wait_until_running()

    def wait_until_running(self) -> None:
        """Until what was brought out last is all there."""
        wanted, deadline = self._config["applications"][0]["args"], time.monotonic() + 240
        while True:
            url = f"{self._cluster.dashboard}/api/serve/applications/"
            answer = httpx.get(url, headers=self._cluster.headers, timeout=120).json()
            application = answer.get("applications", {}).get("swiggle", {"status": "NOT_STARTED"})
            if application["status"] == "RUNNING" and application["deployed_app_config"]["args"] == wanted:
                return
            assert application["status"] != "DEPLOY_FAILED", application
            assert time.monotonic() < deadline, application
            time.sleep(0.5)


class Load:
    """Clients that ask for edits one after the other, steadily, for as long as the block runs. `answers` counts by
    status."""

    def __init__(self, url: str) -> None:
        self.answers: Counter[str] = Counter()
        self._url, self._stop = url, threading.Event()
        picture = httpx.get(f"{url}/v1/samples/0.png", timeout=30).content
        self._image = base64.b64encode(picture).decode()
        self._clients = [threading.Thread(target=self._ask, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for client in self._clients:
            client.join()

    def wait_for(self, more: int) -> None:
        """Until so many more were answered well."""
        wanted, deadline = self.answers["200"] + more, time.monotonic() + 120
        while self.answers["200"] < wanted:
            assert time.monotonic() < deadline, self.answers
            time.sleep(0.05)

    def failures(self) -> int:
        return self.answers.total() - self.answers["200"]

    def _ask(self, number: int) -> None:
        prompts = ("make it a shark", "xyzzy plugh")
        with httpx.Client(base_url=self._url, timeout=60) as http:
            while not self._stop.wait(PAUSE_SECONDS):
                body = {"image": self._image, "prompt": prompts[number % len(prompts)]}
                try:
                    answer = http.post("/v1/edits", json=body)
                    self.answers[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    self.answers[type(error).__name__] += 1


@pytest.fixture(scope="module")
def served(cluster: Cluster, unbroken: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    # A copy: what is served keeps its vectors beside it, and other tests compare the run's files.
    yield Served(cluster, bundle_copy(unbroken, folder / "bundle"), folder)
    cluster.run("serve", "shutdown", "--yes", RAY_DASHBOARD_ADDRESS=cluster.dashboard)


def test_logs_are_json_and_name_the_request(served: Served, cluster: Cluster) -> None:
    asked = httpx.get(f"{served.url}/v1/model", headers={"X-Request-Id": "asked-by-a-test"}, timeout=30)
    assert asked.headers["x-request-id"] == "asked-by-a-test"
    deadline = time.monotonic() + 20
    while not (lines := cluster.log_lines("replica_swiggle_Gateway", "asked-by-a-test")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    line = json.loads(lines[0])
    assert line["request_id"] == "asked-by-a-test"
    assert line["deployment"].endswith("Gateway")


def test_a_new_bundle_under_load_loses_no_request(served: Served, unbroken: Path, tmp_path: Path) -> None:
    newer = bundle_copy(unbroken, tmp_path / "newer")
    manifest = json.loads((newer / "bundle.json").read_text())
    manifest["metrics"]["released"] = "later"
    (newer / "bundle.json").write_text(json.dumps(manifest))
    with Load(served.url) as load:
        load.wait_for(20)
        served.deploy(newer)
        load.wait_for(20)
    assert load.failures() == 0, load.answers
    assert httpx.get(f"{served.url}/v1/model", timeout=30).json()["metrics"]["released"] == "later"


def test_of_a_dying_node_only_requests_inside_it_fail(served: Served, cluster: Cluster) -> None:
    with Load(served.url) as load:
        load.wait_for(20)
        cluster.replace_the_node_of("ServeReplica:swiggle:Gateway")
        load.wait_for(20)
        served.wait_until_running()
        failed = load.failures()
        load.wait_for(20)
    # A client has one request under way, so at most that of each was inside.
    assert failed <= CLIENTS, load.answers
    assert load.failures() == failed, load.answers


def test_every_panel_of_the_dashboard_has_data(served: Served, prometheus: Prometheus) -> None:
    panels = json.loads((ROOT / "deploy/grafana/swiggle.json").read_text())["panels"]
    queries = [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]
    assert len(queries) > 15
    with Load(served.url) as load:
        load.wait_for(20)
        deadline = time.monotonic() + 60
        while empty := [query for query in queries if not has_data(prometheus, query[1])]:
            assert time.monotonic() < deadline, empty
            time.sleep(2)


def bundle_copy(run: Path, folder: Path) -> Path:
    """The bundle of a run, without its data."""
    for part in MADE:
        shutil.copytree(run / part, folder / part)
    shutil.copy(run / "bundle.json", folder)
    return folder


def has_data(prometheus: Prometheus, query: str) -> bool:
    """Whether a panel draws anything: a number that is not NaN."""
    asked = re.sub(r"\$__rate_interval", "20s", query.replace("$run", ".*"))
    return any(not math.isnan(float(value)) for series in prometheus.series(asked) for _, value in series["values"])
