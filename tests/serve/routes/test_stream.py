"""The WebSocket of a moving slider: its protocol, the frames it drops, and who may open it."""

import asyncio
import base64
import inspect
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from serve.routes.stream import MAX_MESSAGE, add_stream_route
from serve.runtime.api_errors import ApiError
from serve.runtime.limits import BearerAuth, SameOrigin
from swiggle.client import ServerError
from swiggle.client.blocking import Stream
from swiggle.client.concurrent import AsyncStream
from swiggle.data.pixels import decode_picture
from swiggle.editing.plan import EditPlan

ADDRESS = "/v1/steer/stream"


class Painter:
    """Stands in for an engine: a picture as grey as the strength of a plan's first operation."""

    def __init__(self) -> None:
        self.painted: list[int] = []
        self.go = asyncio.Event()
        self.go.set()

    async def session(self, image: str | None, session: str | None) -> Any:
        if session == "gone":
            raise ApiError(404, "session_expired", "send the picture again", "session")
        return SimpleNamespace(id=session or "new")

    async def steer(self, session: Any, plan: EditPlan) -> np.ndarray:
        await self.go.wait()
        grey = int(plan.operations[0].strength)
        if grey == 13:
            raise OSError("a part is broken")
        self.painted.append(grey)
        return np.full((32, 32, 3), grey, np.uint8)


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
def client(painter: Painter) -> Iterator[TestClient]:
    app = FastAPI()
    add_stream_route(app, painter)
    with TestClient(app) as running:
        yield running


def message(number: int | str, grey: int = 7, **picture: str) -> dict[str, Any]:
    plan = {"operations": [{"op": "set", "feature": 0, "strength": grey}]}
    return {"id": number, "plan": plan, **(picture or {"session": "s"})}


def test_a_frame_is_a_header_and_a_picture(client: TestClient) -> None:
    with client.websocket_connect(ADDRESS) as socket:
        for number, picture in ((1, {"session": "s"}), ("b", {"image": "abc"})):
            socket.send_json(message(number, 42, **picture))
            assert socket.receive_json() == {"id": number, "session": picture.get("session", "new")}
            frame = decode_picture(socket.receive_bytes())
            assert frame.shape == (128, 128, 3)
            assert (frame == 42).all()


def test_only_the_newest_waiting_plan_is_kept(client: TestClient, painter: Painter) -> None:
    with client.websocket_connect(ADDRESS) as socket:
        painter.go.clear()
        for number in range(20):
            socket.send_json(message(number, number))
        assert client.portal is not None
        client.portal.call(asyncio.sleep, 0.05)
        client.portal.call(painter.go.set)
        seen = []
        while not seen or seen[-1] != 19:
            seen.append(socket.receive_json()["id"])
            socket.receive_bytes()
    assert seen == sorted(seen)
    assert painter.painted == seen
    assert len(seen) <= 2


@pytest.mark.parametrize(
    ("text", "number", "code"),
    [
        ("", None, "invalid_request"),
        ("{", None, "invalid_request"),
        ('{"plan": {}}', None, "invalid_request"),
        ("[" * 5000, None, "invalid_request"),
        ('{"id": 4, "session": "s"}', 4, "invalid_request"),
        ('{"id": 4, "session": "s", "image": "x", "plan": {}}', 4, "invalid_request"),
        ('{"id": 4, "session": "s", "plan": {"operations": [{"op": "set", "feature": 1, "strength": NaN}]}}', 4,
         "invalid_request"),
        (json.dumps(message(5, session="gone")), 5, "session_expired"),
        (json.dumps(message(6, 13)), 6, "internal_error"),
        (json.dumps(message(7, image="A" * MAX_MESSAGE)), None, "body_too_large"),
    ],
)  # fmt: skip
def test_errors_leave_the_socket_open(client: TestClient, text: str, number: int | None, code: str) -> None:
    with client.websocket_connect(ADDRESS) as socket:
        socket.send_text(text)
        answer = socket.receive_json()
        assert answer["id"] == number
        assert set(answer["error"]) == {"message", "type", "param", "code"}
        assert answer["error"]["code"] == code
        socket.send_json(message(8))
        assert socket.receive_json()["id"] == 8


def test_messages_that_servers_would_not_read_are_not_sent() -> None:
    """They would close the socket."""
    nothing: Any = None
    large = bytes(MAX_MESSAGE * 3 // 4)
    with pytest.raises(ServerError, match=r"413 body_too_large.*encode"):
        Stream(nothing).frame(large, {})
    with pytest.raises(ServerError, match=r"413 body_too_large.*encode"):
        asyncio.run(AsyncStream(nothing).frame(large, {}))
    assert inspect.signature(uvicorn.Config).parameters["ws_max_size"].default == MAX_MESSAGE


def test_binary_messages_are_answered_with_an_error(client: TestClient) -> None:
    with client.websocket_connect(ADDRESS) as socket:
        socket.send_bytes(b"\x00\xff")
        assert socket.receive_json()["error"]["code"] == "invalid_request"


def guarded(painter: Painter, key: str | None) -> TestClient:
    app = FastAPI()
    add_stream_route(app, painter)
    if key:
        app.add_middleware(BearerAuth, key=key)
    app.add_middleware(SameOrigin, loopback_only=not key)
    return TestClient(app, base_url="http://localhost:8000")


@pytest.mark.parametrize(
    ("origin", "host", "key", "allowed"),
    [
        (None, "localhost:8000", None, True),
        ("http://localhost:8000", "localhost:8000", None, True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", None, True),
        ("http://[::1]:8000", "[::1]:8000", None, True),
        ("http://evil.example", "localhost:8000", None, False),
        ("http://evil.example:8000", "evil.example:8000", None, False),  # a name that resolves to loopback
        ("null", "localhost:8000", None, False),
        ("http://localhost:9000", "localhost:8000", None, False),
        ("https://swiggle.example", "swiggle.example", "key", True),
        ("https://evil.example", "swiggle.example", "key", False),
    ],
)  # fmt: skip
def test_pages_of_other_sites_may_not_open_it(
    painter: Painter, origin: str | None, host: str, key: str | None, allowed: bool
) -> None:
    headers = {"host": host} | ({"origin": origin} if origin else {})
    headers |= {"authorization": f"Bearer {key}"} if key else {}
    client = guarded(painter, key)
    if allowed:
        with client.websocket_connect(ADDRESS, headers=headers) as socket:
            socket.send_json(message(1))
            assert socket.receive_json()["id"] == 1
    else:
        with (
            pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)) as refused,
            client.websocket_connect(ADDRESS, headers=headers),
        ):
            pass
        assert refused.value.status_code == 403
        assert refused.value.json()["error"]["code"] == "forbidden_origin"


def test_the_key_in_a_header_or_a_subprotocol(painter: Painter) -> None:
    client = guarded(painter, "s3cret/+ =")
    offered = "bearer." + base64.urlsafe_b64encode(b"s3cret/+ =").rstrip(b"=").decode()
    with client.websocket_connect(ADDRESS, headers={"authorization": "Bearer s3cret/+ ="}) as socket:
        assert socket.accepted_subprotocol is None
    with client.websocket_connect(ADDRESS, subprotocols=["swiggle", offered]) as socket:
        assert socket.accepted_subprotocol == "swiggle"
        socket.send_json(message(1))
        assert socket.receive_json()["id"] == 1
    for protocols in ([], ["swiggle"], ["swiggle", "bearer.wrong"]):
        with (
            pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)) as refused,
            client.websocket_connect(ADDRESS, subprotocols=protocols),
        ):
            pass
        assert refused.value.json()["error"]["code"] == "invalid_api_key"


def test_pages_of_named_origins_may_open_it(painter: Painter) -> None:
    app = FastAPI()
    add_stream_route(app, painter)
    app.add_middleware(SameOrigin, loopback_only=True, origins=["https://app.example"])
    client = TestClient(app, base_url="http://localhost:8000")
    headers = {"origin": "https://app.example", "host": "localhost:8000"}
    with client.websocket_connect(ADDRESS, headers=headers) as socket:
        socket.send_json(message(1))
        assert socket.receive_json()["id"] == 1
    for headers in ({"origin": "https://evil.example"}, {"origin": "https://app.example", "host": "evil.example"}):
        with (
            pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
            client.websocket_connect(ADDRESS, headers=headers),
        ):
            pass
