"""`ray job submit` against a `ray start --head` with token authentication: the `paper` preset, as small as it goes. Its
bundle then serves every route at 128 x 128."""

import base64
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serve.parts.in_process import engine_in_process
from serve.routes.api import create_api
from swiggle.bundle import Bundle
from swiggle.data.pixels import decode_picture
from tests.conftest import TINY
from tests.jobs.conftest import Head

pytestmark = pytest.mark.integration
WORDS = [
    "preset=paper", "data.count=200", "vae.channels=[8,8,16,16]", "vae.steps=6", "vae.batch_size=8",
    "vae.checkpoint_every=6", *(word for word in TINY if not word.startswith(("preset", "vae", "data"))),
    "sweep.objectives=[l1]", "sweep.l1=[1.0]",
]  # fmt: skip


def test_the_paper_preset_as_a_job(head: Head, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "jobs.pipeline", *WORDS, f"run={run}"]
    submitted = head.ray("job", "submit", "--working-dir", ".", "--submission-id", "tiny", "--", *command)
    assert submitted.returncode == 0, submitted.stdout[-4000:]
    assert "bundle ready" in submitted.stdout
    assert "succeeded" in head.ray("job", "status", "tiny").stdout
    refused = head.ray("job", "list", RAY_AUTH_TOKEN="0" * 64)
    assert refused.returncode != 0
    serves_every_route_at_128(run)


def serves_every_route_at_128(run: Path) -> None:
    with TestClient(create_api(engine_in_process(Bundle.load(run))), "http://localhost") as client:
        assert client.get("/v1/model").json()["image_size"] == 128
        picture = client.get("/v1/samples/0.png").content
        text = base64.b64encode(picture).decode()
        edited = client.post("/v1/edits", json={"image": text, "prompt": "make it a shark"}).json()
        assert decode_picture(base64.b64decode(edited["image"])).shape == (128, 128, 3)
        plan = {"operations": [{"op": "add", "feature": 3}]}
        steered = client.post("/v1/steer", json={"session": edited["session"], "plan": plan, "format": "png"})
        assert decode_picture(steered.content).shape == (128, 128, 3)
        live = client.get("/v1/features?limit=2048&dead=false").json()["features"][0]["id"]
        for route in ("", "/preview.png", "/preview.png?kind=one_hot", "/examples.png", "/ablation.png"):
            assert client.get(f"/v1/features/{live}{route}").status_code == 200
        assert client.get("/v1/features/search?query=shark").status_code == 200
        files = {"image": ("a.png", picture, "image/png")}
        assert client.post("/v1/images/edits", data={"prompt": "make it a shark"}, files=files).status_code == 200
        assert client.post("/v1/encode", json={"image": text}).json()["active"] >= 0
