"""A dictionary of more than 2,048 features over HTTP: every one of them is listed, found and answered for."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from serve.parts.engine import Engine
from serve.parts.in_process import engine_in_process
from serve.routes.api import create_api
from swiggle.bundle import Bundle
from swiggle.client import Client
from swiggle.client.concurrent import AsyncClient
from tests.serve.conftest import WIDE

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def engine(wide_folder: Path) -> Engine:
    return engine_in_process(Bundle.load(wide_folder))


@pytest.fixture(scope="module")
def http(engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_api(engine), "http://localhost", raise_server_exceptions=False) as running:
        yield running


def test_pages_join_up_to_all_features(http: TestClient) -> None:
    pages = [http.get(f"/v1/features?limit=2048&offset={offset}").json() for offset in (0, 2048, 4096)]
    assert [page["total"] for page in pages] == [WIDE] * 3
    assert [row["id"] for page in pages for row in page["features"]] == list(range(WIDE))
    heads = http.get("/v1/features?place=head&source=caption&dead=false&limit=5&offset=7").json()
    live = [r for page in pages for r in page["features"] if r["place"] == "head" and not r["dead"]]
    assert heads == {"features": live[7:12], "total": len(live)}
    assert http.get("/v1/features?limit=2049").status_code == 422
    picture = base64.b64encode(http.get("/v1/samples/0.png").content).decode()
    assert http.post("/v1/encode", json={"image": picture, "limit": WIDE}).status_code == 200


def test_a_list_does_not_read_the_whole_table_again(
    http: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    original = engine.features

    async def counted(ids: list[int]) -> list[dict]:
        read.append(len(ids))
        return await original(ids)

    monkeypatch.setattr(engine, "features", counted)
    for offset in range(3):
        assert len(http.get(f"/v1/features?limit=2&offset={offset}").json()["features"]) == 2
    assert max(read, default=0) <= 2


def test_labels_by_hand_show_in_the_list_at_once(http: TestClient) -> None:
    last = WIDE - 1
    before = http.get(f"/v1/features?limit=1&offset={last}").json()["features"][0]
    assert http.put(f"/v1/features/{last}/label", json={"label": "airship head"}).status_code == 200
    listed = http.get("/v1/features?source=hand").json()
    assert listed["total"] == 1
    assert (listed["features"][0]["id"], listed["features"][0]["label"]) == (last, "airship head")
    assert listed["features"][0]["confidence"] == 1.0
    assert http.get("/v1/features?source=caption").json()["total"] == WIDE - 1
    assert http.put(f"/v1/features/{last}/label", json={"label": None}).status_code == 200
    assert http.get(f"/v1/features?limit=1&offset={last}").json()["features"][0] == before
    assert client_of(http).features()[-1].label == before["label"]


def client_of(http: TestClient) -> Client:
    client = Client("http://testserver")
    client._http = http
    return client


def test_the_client_gives_all_features(http: TestClient) -> None:
    client = client_of(http)
    assert [feature.id for feature in client.features()] == list(range(WIDE))
    assert [feature.id for feature in client.features(limit=2_050, offset=3)] == list(range(3, 2_053))
    assert [feature.id for feature in client.features(offset=WIDE - 2)] == [WIDE - 2, WIDE - 1]


def test_so_does_the_one_for_asyncio(http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def request(**arguments: Any) -> Any:
        return http.request(**arguments)

    client = AsyncClient("http://testserver")
    monkeypatch.setattr(client._http, "request", request)
    assert [feature.id for feature in asyncio.run(client.features())] == list(range(WIDE))


def test_the_last_feature_has_a_card_and_is_found(http: TestClient, engine: Engine) -> None:
    last = WIDE - 1
    card = http.get(f"/v1/features/{last}").json()
    assert card["label"].startswith("zeppelin")
    assert http.get("/v1/features/search?query=zeppelin&limit=3").json()["features"][0]["id"] == last
    for name in ("preview.png", "footprint.png", "strip.png"):
        assert http.get(f"/v1/features/{last}/{name}").status_code == 200
    sheet = http.get("/v1/features/sprites.png")
    assert sheet.status_code == 200
    often = int(np.argmax(engine.atlas.density))
    assert http.get(f"/v1/features/{often}").json()["company"]
