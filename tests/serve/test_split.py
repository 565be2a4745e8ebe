"""Every part a deployment of its own: the same answers as of all in one process, a key for all, and parts that die."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.serve.faults import CLIENTS, anew, killed, soon, under_load

pytestmark = pytest.mark.integration
KEY = "s3cret"


@pytest.fixture(scope="module")
def split(hand_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("split") / "log"
    running = Server(hand_folder, log, "--placement", "split", "--gateways", "2", key=KEY)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def image(split: Server) -> str:
    return base64.b64encode(split.http.get("/v1/samples/3.png").content).decode()


def test_a_server_asks_for_its_key(split: Server) -> None:
    assert split.http.get("/v1/model").status_code == 200
    assert split.http.get("/v1/model", headers={"Authorization": "Bearer another"}).status_code == 401


def test_both_placements_give_the_same_bytes(server: Server, split: Server) -> None:
    """Before anything is killed."""
    image = base64.b64encode(server.http.get("/v1/samples/3.png").content).decode()
    for body in ({"prompt": "make it a shark"}, {"prompt": "less robot head"}, {"plan": {"operations": []}}):
        answers = [s.http.post("/v1/edits", json={"image": image, **body}).json() for s in (server, split)]
        for volatile in ("session", "timing"):
            for answer in answers:
                answer.pop(volatile)
        assert answers[0] == answers[1]
    swap = {"operations": [{"op": "swap", "feature": 3, "from": image}, {"op": "add", "feature": 4}]}
    pictures = [
        s.http.post("/v1/steer", json={"image": image, "plan": swap, "format": "png"}).content for s in (server, split)
    ]
    assert pictures[0] == pictures[1]
    assert "Traceback" not in split.log.read_text()


@pytest.mark.parametrize("deployment", ["Encoder", "SparseFeatures", "Steering", "Retrieval"])
def test_a_killed_part_loses_no_request(split: Server, image: str, deployment: str) -> None:
    seen = under_load(lambda http: anew(http, image), split, lambda: killed(split, deployment))
    assert set(seen) == {200}, seen


def test_a_killed_gateway_before_parts_loses_only_what_it_worked_on(split: Server, image: str) -> None:
    seen = under_load(lambda http: anew(http, image), split, lambda: killed(split, "Gateway"))
    soon(lambda: anew(split.http, image).status_code == 200)
    assert seen.total() - seen[200] <= CLIENTS, seen
