"""A real server on Ray Serve, and its real clients: `openai` and a plain HTTP client."""

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from openai import OpenAI
from websockets.sync.client import connect

from swiggle.client import AsyncClient, Client, ServerError
from swiggle.data.pixels import decode_picture
from tests.conftest import Server, run_module

pytestmark = pytest.mark.integration


def test_openai_client(server: Server) -> None:
    client = OpenAI(base_url=f"{server.url}/v1", api_key="none")
    picture = server.http.get("/v1/samples/2.png").content
    answer = client.images.edit(model="swiggle", image=("noun.png", picture, "image/png"), prompt="make it a shark")
    content = base64.b64decode(answer.data[0].b64_json or "")
    assert decode_picture(content).shape == (128, 128, 3)
    body = {"image": base64.b64encode(picture).decode(), "prompt": "make it a shark"}
    assert server.http.post("/v1/edits", json=body).json()["image"] == answer.data[0].b64_json
    several = client.images.edit(
        image=("noun.png", picture, "image/png"),
        prompt="make it a shark",
        n=2,
        size="256x256",
        response_format="b64_json",
    )
    assert len(several.data) == 2
    assert decode_picture(base64.b64decode(several.data[0].b64_json or "")).shape == (256, 256, 3)


def test_comes_up_beside_busy_processes(hand_folder: Path, tmp_path: Path) -> None:
    """Ray Serve waits five seconds for its proxy if it is not told otherwise, which is too short beside these."""
    cores = os.cpu_count() or 2
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        running = Server(hand_folder, tmp_path / "log", patience=480)
        try:
            assert running.http.get("/v1/model").json()["image_size"] == 32
        finally:
            running.stop()
    finally:
        for process in busy:
            process.kill()
            process.wait()
    said = running.log.read_text()
    assert said.index("starting Ray") < said.index("loading ") < said.index("is serving")


def test_our_own_client(server: Server) -> None:
    with Client(server.url) as client:
        picture = client.sample(3)
        edit = client.edit(picture, "make it a shark")
        assert edit.picture.shape == (128, 128, 3)
        np.testing.assert_array_equal(client.steer(edit.session, edit.plan), edit.picture)
        np.testing.assert_array_equal(client.steer(picture, edit.plan), edit.picture)
        assert client.encode(edit.session).features == edit.features_before
        assert client.search("a pizza head", limit=1)[0].label == "pizza head"
        assert client.features(limit=3, offset=5)[0].id == 5
        assert client.model()["image_size"] == 32
        with client.stream() as stream:
            np.testing.assert_array_equal(stream.frame(edit.session, edit.plan), edit.picture)
            with pytest.raises(ServerError, match="session_expired"):
                stream.frame("gone", edit.plan)
            np.testing.assert_array_equal(stream.frame(picture, edit.plan), edit.picture)
        with pytest.raises(ServerError, match="session_expired") as refused:
            client.steer("gone", edit.plan)
        assert (refused.value.status, refused.value.param) == (404, "session")
        assert refused.value.request_id

    async def the_same() -> None:
        async with AsyncClient(server.url) as client:
            np.testing.assert_array_equal(await client.sample(3), picture)
            again = await client.edit(picture, "make it a shark")
            np.testing.assert_array_equal(again.picture, edit.picture)
            async with client.stream() as stream:
                np.testing.assert_array_equal(await stream.frame(again.session, again.plan), edit.picture)
            with pytest.raises(ServerError, match="feature_not_found"):
                await client.label(10**6, "far away")

    asyncio.run(the_same())


def test_a_slider_that_moves_faster_than_pictures_come(server: Server) -> None:
    with Client(server.url) as client, connect(f"ws{server.url.removeprefix('http')}/v1/steer/stream") as socket:
        session = client.encode(client.sample(3)).session
        for number in range(200):
            plan = {"operations": [{"op": "set", "feature": 3, "strength": number / 100}]}
            socket.send(json.dumps({"id": number, "session": session, "plan": plan}))
        answered = []
        while not answered or answered[-1] != 199:
            answered.append(json.loads(socket.recv())["id"])
            frame = socket.recv()
        assert answered == sorted(answered)
        np.testing.assert_array_equal(decode_picture(frame), client.steer(session, plan))


def test_replay_and_errors_over_the_wire(server: Server) -> None:
    image = base64.b64encode(server.http.get("/v1/samples/1.png").content).decode()
    edited = server.http.post("/v1/edits", json={"image": image, "prompt": "give it a pizza head"}).json()
    replay = server.http.post("/v1/steer", json={"image": image, "plan": edited["plan"], "format": "png"})
    assert base64.b64encode(replay.content).decode() == edited["image"]
    assert server.http.post("/v1/edits", content=b"{").status_code in (400, 422)
    assert (
        server.http.post("/v1/steer", json={"session": "gone", "plan": {}}).json()["error"]["code"] == "session_expired"
    )
    assert server.http.get("/v1/features/16").status_code == 404
    form = server.http.post("/v1/images/edits", files={"image": ("x.png", b"no picture")}, data={"prompt": "x"})
    assert (form.status_code, form.json()["error"]["code"]) == (415, "unsupported_image")
    assert server.http.post("/v1/images/edits", data={"prompt": "x"}).status_code == 422


def test_refusals_at_start(hand_folder: Path, tmp_path: Path) -> None:
    open_host = run_module("serve", "--bundle", str(hand_folder), "--host", "0.0.0.0")
    assert open_host.returncode == 2
    assert "SWIGGLE_API_KEY" in open_host.stdout
    missing = run_module("serve", "--bundle", str(tmp_path))
    assert missing.returncode == 2
    assert "bundle.json" in missing.stdout


def test_nothing_in_the_log_is_a_traceback(server: Server) -> None:
    log = server.log.read_text()
    assert not re.search(r"Traceback|ERROR", log), log[-3000:]
