"""Labels and plans over HTTP: whose they are, and who wrote last."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serve.parts.engine import Engine
from serve.routes.api import create_api
from swiggle.atlas.hand_labels import HandLabelFile

pytestmark = pytest.mark.integration
OTHER = "0" * 16


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_api(engine), "http://localhost", raise_server_exceptions=False) as running:
        yield running
        for feature in running.get("/v1/labels").json()["labels"]:
            running.put(f"/v1/features/{feature}/label", json={"label": None})


@pytest.fixture
def dictionary(client: TestClient) -> str:
    return client.get("/v1/model").json()["dictionary"]


def test_the_model_and_the_labels_name_the_dictionary(client: TestClient, dictionary: str) -> None:
    assert client.get("/v1/model").json()["files"]["sae/model.safetensors"].startswith(dictionary)
    assert len(dictionary) == 16
    listed = client.get("/v1/labels").json()
    assert listed["dictionary"] == dictionary
    assert listed["labels"] == {}
    assert isinstance(listed["revision"], int)


def test_what_was_changed_since_is_not_overwritten(client: TestClient, dictionary: str) -> None:
    card = client.get("/v1/features/5").json()
    seen = card["revision"]
    mine = client.put("/v1/features/5/label", json={"label": "lantern", "revision": seen}).json()
    assert mine["revision"] == seen + 1
    # Another feature, seen before that: no conflict. The same wish again: none either.
    assert client.put("/v1/features/6/label", json={"label": "moon", "revision": seen}).status_code == 200
    assert client.put("/v1/features/5/label", json={"label": "lantern", "revision": seen}).status_code == 200
    for body in ({"label": "torch", "revision": seen}, {"label": None, "revision": seen}):
        refused = client.put("/v1/features/5/label", json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
        assert "lantern" in refused.json()["error"]["message"]
    refused = client.put("/v1/labels", json={"labels": {"5": "torch", "7": "x"}, "revision": seen})
    assert refused.status_code == 409
    assert client.get("/v1/labels").json()["labels"] == {"5": "lantern", "6": "moon"}
    assert client.put("/v1/features/5/label", json={"label": "torch"}).json()["label"] == "torch"
    assert client.put("/v1/features/5/label", json={"label": "x", "revision": -1}).status_code == 422


def test_labels_of_another_dictionary_are_refused(client: TestClient, dictionary: str) -> None:
    exported = client.put("/v1/labels", json={"labels": {"5": "lantern"}}).json()
    assert exported["dictionary"] == dictionary
    assert client.put("/v1/labels", json=exported).status_code == 200
    for path, body in (
        ("/v1/labels", exported | {"dictionary": OTHER}),
        ("/v1/features/5/label", {"label": "x", "dictionary": OTHER}),
    ):
        refused = client.put(path, json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "other_dictionary")
        assert refused.json()["error"]["param"] == "dictionary"
    assert client.get("/v1/labels").json()["labels"] == {"5": "lantern"}


def test_plans_of_another_dictionary_are_refused(client: TestClient, dictionary: str) -> None:
    image = base64.b64encode(client.get("/v1/samples/0.png").content).decode()
    made = client.post("/v1/edits", json={"image": image, "prompt": "make it a shark", "strength": 1.5}).json()
    assert made["plan"]["dictionary"] == dictionary
    own = {"session": made["session"], "plan": made["plan"]}
    nameless = {"session": made["session"], "plan": {"operations": made["plan"]["operations"]}}
    pictures = [client.post("/v1/steer", json=body).json()["image"] for body in (own, nameless)]
    assert pictures[0] == pictures[1] == made["image"]
    foreign = {"session": made["session"], "plan": made["plan"] | {"dictionary": OTHER}}
    for path in ("/v1/steer", "/v1/edits"):
        refused = client.post(path, json=foreign)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "other_dictionary")
        assert refused.json()["error"]["param"] == "plan.dictionary"
    with client.websocket_connect("/v1/steer/stream") as socket:
        socket.send_json(foreign | {"id": 1})
        assert socket.receive_json()["error"]["code"] == "other_dictionary"


def test_labels_from_the_command_line_change_what_prompts_mean(
    client: TestClient, engine: Engine, hand_folder: Path, monkeypatch: pytest.MonkeyPatch, dictionary: str
) -> None:
    monkeypatch.setattr("serve.parts.engine._LABELS_FOR_SECONDS", -1.0)
    image = base64.b64encode(client.get("/v1/samples/0.png").content).decode()
    body = {"image": image, "prompt": "give it a hexagonal xylophone head"}
    assert client.post("/v1/edits", json=body).json()["reasons"][0]["matched"] == []
    HandLabelFile(hand_folder, dictionary).change({5: "hexagonal xylophone head"})
    matched = client.post("/v1/edits", json=body).json()["reasons"][0]["matched"]
    assert [match["feature"] for match in matched] == [5]
    assert client.get("/v1/features/5").json()["label"] == "hexagonal xylophone head"
    assert HandLabelFile(hand_folder, dictionary).read().labels[5] == "hexagonal xylophone head"
