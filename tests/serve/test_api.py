"""Every route, over the parts in this process: what is answered, and what is refused."""

import asyncio
import base64
import io
import json
import pickle
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from serve.parts.engine import Engine
from serve.parts.in_process import make_engine
from serve.parts.model_parts import EncoderPart, SparsePart, SteeringPart
from serve.parts.remote import RemoteHandle, refusals_returned
from serve.parts.retrieval_part import RetrievalPart
from serve.routes.api import create_api
from serve.runtime.admission import Admission
from serve.runtime.limits import MAX_BODY
from swiggle.bundle import Bundle
from swiggle.data.pixels import decode_picture, encode_png, resize
from tests.hand_bundle import FEATURES, LAMP, PIZZA, ROBOT, SHARK


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_api(engine), "http://localhost", raise_server_exceptions=False) as running:
        yield running


@pytest.fixture
def sample(client: TestClient) -> str:
    return base64.b64encode(client.get("/v1/samples/0.png").content).decode()


def picture(content: bytes) -> np.ndarray:
    return decode_picture(content)


def png(size: tuple[int, int] = (128, 128)) -> str:
    stream = io.BytesIO()
    Image.new("RGB", size, (90, 20, 20)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


DAMAGED = base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()


def one(operation: dict, times: int = 1) -> dict:
    return {"operations": [operation] * times}


def error_of(response: httpx.Response) -> dict:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


def test_model_and_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    model = client.get("/v1/model").json()
    assert (model["image_size"], model["features"]) == (32, FEATURES)
    assert model["metrics"]["train_vae"] == {"psnr": 40.0}
    assert model["subject"] == "character"
    assert "/v1/edits" in client.get("/openapi.json").json()["paths"]


def test_whatever_can_be_sent_has_an_example_that_is_accepted(client: TestClient, sample: str) -> None:
    described = client.get("/openapi.json").json()
    session = client.post("/v1/encode", json={"image": sample}).json()["session"]
    known = {"image": f"data:image/png;base64,{sample}", "session": session}
    sent = 0
    try:
        for path, methods in described["paths"].items():
            for method, operation in methods.items():
                parameters = operation.get("parameters", ())
                values = {p["name"]: p["schema"]["examples"][0] for p in parameters}
                values |= {"feature": 7} if "feature" in values else {}
                if method == "get":
                    assert client.get(path.format(**values), params=values).status_code in (200, 404), path
                for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                    sent += 1
                    named = content["schema"].get("$ref", "").rpartition("/")[2]
                    schema = described["components"]["schemas"][named] if named else content["schema"]
                    # Examples are of a dictionary of 2,048 features.
                    example = json.loads(json.dumps(schema["examples"][0]).replace("176", "7"))
                    example |= {name: value for name, value in known.items() if name in example}
                    body: dict[str, Any] = {"json": example}
                    if kind == "multipart/form-data":
                        body = {"files": {"image": base64.b64decode(sample)}, "data": example}
                        assert example.pop("image")
                    answer = client.request(method, path.format(**values), **body)
                    assert answer.status_code == 200, (method, path, answer.text)
    finally:
        for feature in (3, 7):
            client.put(f"/v1/features/{feature}/label", json={"label": None})
    assert sent == 6


def test_other_pages_can_read_why_they_were_refused(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIGGLE_CORS_ORIGINS", "https://studio.example")
    page = {"Origin": "https://studio.example"}
    with TestClient(create_api(engine), "http://localhost", raise_server_exceptions=False) as client:
        large = client.put("/v1/labels", content=b" " * (MAX_BODY + 1), headers=page)
        pieces = (b" " * (MAX_BODY // 4) for _ in range(5))  # sent without a Content-Length
        grown = client.put("/v1/labels", content=pieces, headers=page | {"Content-Type": "application/json"})
        foreign = client.get("/v1/labels", headers=page | {"Host": "elsewhere.example"})
        monkeypatch.setattr(Admission, "_limit", lambda self, kind: 0)
        busy = client.get("/v1/labels", headers=page)
        # Who may not ask is refused before there is a place to take.
        assert client.get("/v1/labels", headers={"Host": "elsewhere.example"}).status_code == 403
    assert [answer.status_code for answer in (large, grown, foreign, busy)] == [413, 413, 403, 503]
    for answer in (large, grown, foreign, busy):
        assert answer.headers["access-control-allow-origin"] == "https://studio.example"
        exposed = answer.headers["access-control-expose-headers"].lower()
        assert all(name in exposed for name in ("x-request-id", "retry-after", "x-swiggle-session"))
        assert answer.headers["x-request-id"]
    assert busy.headers["retry-after"] == "1"


def test_page_and_static_files(client: TestClient) -> None:
    assert "Swiggle" in client.get("/").text
    for name in ("app.js", "shared/style.css", "map/map.js"):
        assert client.get(f"/static/{name}").status_code == 200
    assert client.get("/static/../api.py").status_code == 404


def test_an_empty_plan_is_the_reconstruction_to_the_bit(client: TestClient, sample: str, hand_folder: Path) -> None:
    answer = client.post("/v1/steer", json={"image": sample, "plan": {"operations": []}, "format": "png"})
    bundle = Bundle.load(hand_folder)
    original = resize(picture(base64.b64decode(sample)), 32)
    expected = bundle.decode(bundle.encode(original[None]))[0]
    np.testing.assert_array_equal(picture(answer.content), resize(expected, 128))


def test_edit_by_prompt_and_replay(client: TestClient, sample: str) -> None:
    edited = client.post("/v1/edits", json={"image": sample, "prompt": "make it a shark"}).json()
    assert edited["plan"]["version"] == 1
    done = {o["feature"]: (o["op"], o["strength"]) for o in edited["plan"]["operations"]}
    assert done == {SHARK: ("set", pytest.approx(1.0, abs=0.02)), ROBOT: ("ablate", 0.0)}
    assert [match["label"] for match in edited["reasons"][0]["matched"]] == ["shark head"]
    assert {"encode", "plan", "steer"} == set(edited["timing"])
    assert edited["features_before"] != edited["features_after"]
    assert picture(base64.b64decode(edited["image"])).shape == (128, 128, 3)
    replay = client.post("/v1/steer", json={"session": edited["session"], "plan": edited["plan"]}).json()
    assert replay["image"] == edited["image"]
    by_plan = client.post("/v1/edits", json={"image": sample, "plan": edited["plan"]}).json()
    assert by_plan["image"] == edited["image"]
    as_png = client.post("/v1/steer", json={"image": sample, "plan": edited["plan"]}, headers={"Accept": "image/png"})
    assert base64.b64encode(as_png.content).decode() == edited["image"]
    assert as_png.headers["x-swiggle-session"]


def test_strength_scales_what_is_raised(client: TestClient, sample: str) -> None:
    usual = client.post("/v1/edits", json={"image": sample, "prompt": "make it a shark"}).json()["plan"]["operations"]
    double = client.post("/v1/edits", json={"image": sample, "prompt": "make it a shark", "strength": 2}).json()
    for a, b in zip(usual, double["plan"]["operations"], strict=True):
        assert b["strength"] == pytest.approx((2 if a["op"] == "set" else 1) * a["strength"], abs=1e-4)


def test_unknown_words_answer_the_reconstruction(client: TestClient, sample: str) -> None:
    answer = client.post("/v1/edits", json={"image": sample, "prompt": "make it a flibbertigibbet quux"})
    assert answer.status_code == 200
    assert answer.json()["plan"]["operations"] == []
    assert answer.json()["reasons"][0]["nearest"]
    plain = client.post("/v1/steer", json={"image": sample, "plan": {}}).json()
    assert answer.json()["image"] == plain["image"]


def test_encode_and_swap(client: TestClient, sample: str) -> None:
    first = client.post("/v1/encode", json={"image": sample, "latent": True}).json()
    assert np.asarray(first["latent"]).shape == (4, 8, 8)
    levels = [feature["activation"] for feature in first["features"]]
    assert levels == sorted(levels, reverse=True)
    other = base64.b64encode(client.get("/v1/samples/1.png").content).decode()
    donor = client.post("/v1/encode", json={"image": other}).json()
    top = donor["features"][0]["id"]
    for source in (donor["session"], other):
        plan = {"operations": [{"op": "swap", "feature": top, "from": source}]}
        swapped = client.post("/v1/steer", json={"session": first["session"], "plan": plan})
        assert swapped.status_code == 200, swapped.text


def test_features_and_search(client: TestClient) -> None:
    everything = client.get("/v1/features?limit=2048").json()
    assert everything["total"] == len(everything["features"]) == FEATURES
    page = client.get("/v1/features?limit=5&offset=10").json()
    assert [f["id"] for f in page["features"]] == list(range(10, 15))
    heads = client.get("/v1/features?place=head&source=caption&limit=2048").json()
    assert [f["id"] for f in heads["features"]] == [SHARK, PIZZA, ROBOT, LAMP]
    assert {f["place"] for f in heads["features"]} == {"head"}
    hits = client.get("/v1/features/search?query=a pizza head&limit=3").json()["features"]
    assert (hits[0]["id"], hits[0]["label"]) == (PIZZA, "pizza head")
    card = client.get(f"/v1/features/{hits[0]['id']}").json()
    assert card["example_ids"]
    for name in ("preview.png", "preview.png?kind=one_hot", "examples.png", "ablation.png"):
        response = client.get(f"/v1/features/{hits[0]['id']}/{name}")
        assert response.headers["content-type"] == "image/png"
        assert picture(response.content).shape[0] in (128, 384)


def test_labels_by_hand(client: TestClient, hand_folder: Path) -> None:
    automatic = client.get("/v1/features/5").json()
    labelled = client.put("/v1/features/5/label", json={"label": "glowing lantern head"}).json()
    assert (labelled["label"], labelled["source"], labelled["place"]) == ("glowing lantern head", "hand", "head")
    assert client.get("/v1/features/search?query=lantern").json()["features"][0]["id"] == 5
    known = client.get("/v1/labels").json()
    assert known["labels"] == {"5": "glowing lantern head"}
    assert known["dictionary"] == client.get("/v1/model").json()["dictionary"]
    assert client.put("/v1/labels", json={"labels": {"6": "tiny moon"}}).json()["labels"].keys() == {"5", "6"}
    assert list(hand_folder.glob("hand_labels.*.json"))
    for feature in (5, 6):
        client.put(f"/v1/features/{feature}/label", json={"label": None})
    after = client.get("/v1/features/5").json()
    assert after.pop("revision") > automatic.pop("revision")
    assert after == automatic
    assert client.get("/v1/labels").json()["labels"] == {}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/edits", {"image": "!!!", "prompt": "x"}, 400, "invalid_image"),
        ("/v1/edits", {"image": base64.b64encode(b"GIF89a").decode(), "prompt": "x"}, 415, "unsupported_image"),
        ("/v1/edits", {"image": DAMAGED, "prompt": "x"}, 400, "invalid_image"),
        ("/v1/edits", {"image": png((9000, 2)), "prompt": "x"}, 400, "invalid_image"),
        ("/v1/edits", {"image": base64.b64encode(bytes(26_400_000)).decode(), "prompt": "x"}, 413, "image_too_large"),
        ("/v1/edits", {"image": "A" * 38_000_000, "prompt": "x"}, 413, "body_too_large"),
        ("/v1/edits", {"image": png()}, 422, "invalid_request"),
        ("/v1/edits", {"prompt": "make it a shark"}, 422, "invalid_request"),
        ("/v1/edits", {"image": png(), "prompt": ""}, 422, "invalid_request"),
        ("/v1/edits", {"image": png(), "prompt": "x" * 1001}, 422, "invalid_request"),
        ("/v1/edits", {"image": png(), "prompt": "x", "plan": {}}, 422, "invalid_request"),
        ("/v1/edits", {"image": png(), "prompt": "x", "colour": 1}, 422, "invalid_request"),
        ("/v1/edits", {"image": 7, "prompt": "x"}, 422, "invalid_request"),
        ("/v1/edits", [], 422, "invalid_request"),
        ("/v1/steer", {"image": png(), "plan": {"version": 2}}, 422, "invalid_request"),
        ("/v1/steer", {"image": png(), "plan": one({"op": "set", "feature": 9999})}, 422, "invalid_plan"),
        ("/v1/steer", {"image": png(), "plan": one({"op": "no", "feature": 1})}, 422, "invalid_request"),
        ("/v1/steer", {"image": png(), "plan": one({"op": "ablate", "feature": 1}, 257)}, 422, "invalid_request"),
        ("/v1/steer", {"session": "unknown", "plan": {}}, 404, "session_expired"),
        ("/v1/encode", {"session": "unknown"}, 404, "session_expired"),
    ],
)  # fmt: skip
def test_bad_requests(client: TestClient, path: str, body: object, status: int, code: str) -> None:
    response = client.post(path, json=body)
    assert response.status_code == status, response.text
    assert error_of(response)["code"] == code


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/features/16", 404), ("/v1/features/-1", 422), ("/v1/features/x", 422), ("/v1/features/9999999999", 422),
        ("/v1/features/16/preview.png", 404), ("/v1/features/1/preview.png?kind=x", 422),
        ("/v1/samples/999.png", 404), ("/v1/samples/x.png", 422),
        ("/v1/features?limit=0", 422), ("/v1/features/search", 422), ("/no/such", 404), ("/v1/edits", 405),
    ],
)  # fmt: skip
def test_bad_addresses(client: TestClient, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status, response.text
    error_of(response)


@pytest.mark.parametrize("text", ["{", "", '{"strength": NaN}', "[" * 5000, '{"plan":' * 500_000, "\ud800"])
def test_bad_json(client: TestClient, text: str) -> None:
    content = text.encode(errors="surrogatepass")
    response = client.post("/v1/edits", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422), response.text
    error_of(response)


@pytest.mark.parametrize(
    "prompt", ["鲨鱼的头", "اجعله قرشا", "🦈" * 1000, "a\u0300" * 500, "\u202e\x00\x07 shark", "the " * 250, "\n"]
)
def test_prompts_in_any_script(client: TestClient, sample: str, prompt: str) -> None:
    answer = client.post("/v1/edits", json={"image": sample, "prompt": prompt})
    assert answer.status_code == 200, answer.text
    assert answer.json()["image"]


@pytest.mark.parametrize(
    "path",
    ["/static/%2e%2e/api.py", "/static/..%2fapi.py", "/static/%2fetc/passwd", "/v1/samples/..%2f..%2fbundle.json",
     "/v1/features/..%2f1", "/v1/features/1%00", "/v1/samples/1.png%2f..", "/static/app.js%00.html"],
)  # fmt: skip
def test_paths_lead_nowhere_else(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422), answer.text
    error_of(answer)


def test_strengths_that_are_no_numbers(client: TestClient) -> None:
    for strength in ("NaN", "Infinity", "-Infinity", "1e999"):
        operation = f'{{"op": "set", "feature": 1, "strength": {strength}}}'
        text = f'{{"image": "{png()}", "plan": {{"operations": [{operation}]}}}}'
        response = client.post("/v1/steer", content=text, headers={"Content-Type": "application/json"})
        assert response.status_code in (400, 422), response.text
        error_of(response)


def test_bearer_auth(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIGGLE_API_KEY", "s3cret")
    with TestClient(create_api(engine), "http://localhost") as client:
        refused = client.get("/v1/model")
        assert (refused.status_code, error_of(refused)["code"]) == (401, "invalid_api_key")
        assert client.get("/v1/model", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/v1/model", headers={"Authorization": "Bearer s3cret"}).status_code == 200
        assert client.get("/healthz").status_code == 200


class ElsewhereMethod:
    def __init__(self, method: Callable[..., Any]) -> None:
        self.method = method

    async def remote(self, *arguments: Any) -> Any:
        given = pickle.loads(pickle.dumps(arguments))
        return pickle.loads(pickle.dumps(await asyncio.to_thread(self.method, *given)))


class Elsewhere:
    """Stands in for Serve's handle to a part in another process: everything goes there and back as a pickle."""

    def __init__(self, part: Any) -> None:
        self.part = part

    def __getattr__(self, name: str) -> ElsewhereMethod:
        return ElsewhereMethod(refusals_returned(getattr(self.part, name)))


def test_parts_elsewhere_answer_the_same(client: TestClient, hand_folder: Path, sample: str) -> None:
    bundle = Bundle.load(hand_folder)
    parts = {"encoder": EncoderPart(bundle), "sparse": SparsePart(bundle), "steering": SteeringPart(bundle)}
    parts["retrieval"] = RetrievalPart(bundle)
    handles = {name: RemoteHandle(Elsewhere(part)) for name, part in parts.items()}
    with TestClient(
        create_api(make_engine(bundle, **handles)), "http://localhost", raise_server_exceptions=False
    ) as other:
        assert other.get("/healthz").status_code == 200
        session = client.post("/v1/encode", json={"image": sample}).json()["session"]
        swap = [{"op": "swap", "feature": 3, "from": session}, {"op": "add", "feature": 4}]
        for path, body in (
            ("/v1/edits", {"image": sample, "prompt": "make it a shark"}),
            ("/v1/edits", {"session": session, "prompt": "less pizza head"}),
            ("/v1/encode", {"session": session, "latent": True}),
            ("/v1/steer", {"session": session, "plan": {"operations": swap}}),
        ):
            here, there = (c.post(path, json=body).json() for c in (client, other))
            here.pop("timing", None), there.pop("timing", None)
            assert here == there
        for path in ("/v1/features/search?query=shark", "/v1/features/3/ablation.png", "/v1/labels"):
            assert client.get(path).content == other.get(path).content
        parts["retrieval"]._planner, parts["retrieval"]._lost_at = None, time.monotonic()
        refused = other.post("/v1/edits", json={"session": session, "prompt": "make it a robot"})
        assert (refused.status_code, error_of(refused)["code"]) == (503, "retrieval_unavailable")
        assert refused.headers["retry-after"] == "1"
        assert other.post("/v1/steer", json={"session": session, "plan": {}}).status_code == 200


def test_a_list_of_no_features_is_empty(engine: Engine) -> None:
    """As when a search finds none."""
    assert asyncio.run(engine.features([])) == []


def test_images_are_brought_to_the_models_size(client: TestClient, sample: str) -> None:
    native = encode_png(resize(picture(base64.b64decode(sample)), 32))
    sizes = [native, base64.b64decode(sample), encode_png(resize(picture(native), 512))]
    encoded = [
        client.post("/v1/encode", json={"image": f"data:image/png;base64,{base64.b64encode(content).decode()}"}).json()
        for content in sizes
    ]
    assert encoded[0]["features"] == encoded[1]["features"] == encoded[2]["features"]


def test_features_that_a_vision_model_named_can_be_asked_for(client: TestClient) -> None:
    answer = client.get("/v1/features?source=vision")
    assert (answer.status_code, answer.json()) == (200, {"features": [], "total": 0})
    assert client.get("/v1/features?source=guess").status_code == 422


def test_labels_of_other_scripts(client: TestClient) -> None:
    """As it may be typed on one keyboard, asked for from another."""
    said = {5: "pêche", 6: "péché", 7: "🦈", 8: "🎩", 9: "लाल टोपी", 10: "红色帽子"}
    typed = {number: unicodedata.normalize("NFD", text) for number, text in said.items()}
    try:
        one = client.put("/v1/features/5/label", json={"label": typed[5]}).json()
        assert one["label"] == said[5]
        kept = client.put("/v1/labels", json={"labels": typed}).json()["labels"]
        assert kept == {str(number): text for number, text in said.items()}
        for number, text in said.items():
            for form in ("NFC", "NFD"):
                query = unicodedata.normalize(form, text)
                hits = client.get("/v1/features/search", params={"query": query, "limit": 5}).json()["features"]
                assert (hits[0]["id"], hits[0]["label"]) == (number, text)
                assert hits[1]["score"] < hits[0]["score"] - 0.03
    finally:
        for number in said:
            client.put(f"/v1/features/{number}/label", json={"label": None})
    assert client.put("/v1/features/5/label", json={"label": " \u00ad "}).json()["source"] != "hand"
