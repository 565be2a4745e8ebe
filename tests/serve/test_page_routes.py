"""The routes that the page draws its many small pictures with."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from serve.parts.in_process import local_handles, make_engine
from serve.parts.sheets import footprint_picture, footprint_sheet
from serve.routes import feature_routes
from serve.routes.api import create_api
from swiggle.bundle import Bundle
from swiggle.data.pixels import decode_picture


@pytest.fixture(scope="module")
def bundle(hand_folder: Path) -> Bundle:
    return Bundle.load(hand_folder)


@pytest.fixture(scope="module")
def client(bundle: Bundle) -> Iterator[TestClient]:
    engine = make_engine(bundle, retrieval=None, **local_handles(bundle))
    with TestClient(create_api(engine), "http://localhost", raise_server_exceptions=False) as running:
        yield running


@pytest.mark.parametrize("kind", ["natural", "one_hot", "example"])
def test_all_features_in_one_small_picture(client: TestClient, bundle: Bundle, kind: str) -> None:
    answer = client.get(f"/v1/features/sprites.png?kind={kind}")
    assert len(answer.content) < 1_000 * len(bundle.atlas)
    sheet = decode_picture(answer.content)
    assert sheet.shape == (32, len(bundle.atlas) * 32, 3)
    feature = int(np.argmax(bundle.atlas.density))
    example = bundle.atlas.pictures[bundle.atlas.example_ids[feature][0]]
    expected = decode_picture(example if kind == "example" else bundle.atlas.png(feature, kind)).astype(int)
    row, column = divmod(feature, 64)
    tile = sheet[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
    assert np.abs(tile - expected).mean() < 12  # 256 colours for all of them


def test_pictures_by_number_and_at_random(client: TestClient, bundle: Bundle) -> None:
    number = client.get("/v1/pictures/random").json()["id"]
    assert number in bundle.atlas.pictures
    assert decode_picture(client.get(f"/v1/pictures/{number}.png").content).shape == (128, 128, 3)
    unknown = client.get("/v1/pictures/9000000000.png")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "picture_not_found")
    assert client.get("/v1/pictures/-1.png").status_code == 422
    assert client.get("/v1/features/sprites.png?kind=x").status_code == 422


def test_footprints_and_strips(client: TestClient, bundle: Bundle) -> None:
    feature = int(np.argmax(bundle.atlas.density))
    assert client.get(f"/v1/features/{feature}/footprint.png").headers["content-type"] == "image/png"
    strip = client.get(f"/v1/features/{feature}/strip.png")
    assert decode_picture(strip.content).shape == (32, 9 * 32, 3)
    for name in ("footprint.png", "strip.png"):
        assert client.get(f"/v1/features/{len(bundle.atlas)}/{name}").status_code == 404


def test_a_feature_that_acts_nowhere_has_an_empty_footprint() -> None:
    footprints = np.zeros((2, 32, 32), np.float16)
    footprints[1, 4, 5] = 1.0
    sheet = decode_picture(footprint_sheet(footprints))
    assert sheet[:, :32].max() == 0
    assert sheet[4, 32 + 5].min() == 255
    assert footprint_picture(footprints[0]).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["examples", "ablation"])
def test_nine_pictures_in_one_are_made_off_the_event_loop(
    client: TestClient, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Reading nine files and writing one of their size holds up others for some milliseconds."""
    feature = int(np.argmax(bundle.atlas.density))
    address = f"/v1/features/{feature}/{name}.png"
    expected = client.get(address).content
    made = []

    def checked(work: Callable) -> Callable:
        def off_the_loop(given: object) -> object:
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            made.append(work)
            return work(given)

        return off_the_loop

    for work in (feature_routes.grid, feature_routes.png_response):
        monkeypatch.setattr(feature_routes, work.__name__, checked(work))
    monkeypatch.setattr(feature_routes, "decode_picture", checked(decode_picture))
    assert client.get(address).content == expected
    assert made.count(decode_picture) == len(made) - 2 == 9


def test_a_sheet_that_several_wait_for_is_made_once(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def slow(atlas: object, kind: str) -> bytes:
        made.append(kind)
        time.sleep(0.3)
        return b"a sheet"

    monkeypatch.setattr(feature_routes, "feature_sheet", slow)
    api = create_api(make_engine(bundle, retrieval=None, **local_handles(bundle)))
    with TestClient(api, "http://localhost") as running, ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(running.get, ["/v1/features/sprites.png"] * 3))
    assert [answer.content for answer in answers] == [b"a sheet"] * 3
    assert made == ["natural"]
