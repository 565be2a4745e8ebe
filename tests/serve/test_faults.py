"""A server whose parts fail: Chroma that comes and goes, replicas that are killed, bundles that are damaged."""

import base64
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serve.__main__ import main
from swiggle.atlas.hand_labels import HandLabelFile
from swiggle.manifest import dictionary_id
from tests.conftest import ENVIRONMENT, Server, free_port
from tests.serve.faults import CLIENTS, anew, ask, killed, processes, soon, steer, under_load

pytestmark = pytest.mark.integration


@contextmanager
def chroma(port: int, folder: Path) -> Iterator[None]:
    """A running `chroma run`."""
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--path", str(folder)],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(scope="module")
def chroma_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def failing(hand_folder: Path, tmp_path_factory: pytest.TempPathFactory, chroma_port: int) -> Iterator[Server]:
    """A server that was started before its Chroma."""
    log = tmp_path_factory.mktemp("faults") / "log"
    running = Server(hand_folder, log, "--chroma", f"http://127.0.0.1:{chroma_port}", "--gateways", "2")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def image(failing: Server) -> str:
    return base64.b64encode(failing.http.get("/v1/samples/3.png").content).decode()


def test_chroma_comes_and_goes(failing: Server, image: str, chroma_port: int, tmp_path: Path) -> None:
    def refused(prompt: str) -> None:
        answer = ask(failing.http, image, prompt)
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"]["code"] == "retrieval_unavailable"
        assert f"http://127.0.0.1:{chroma_port}" in answer.json()["error"]["message"]
        assert answer.headers["retry-after"] == "1"
        assert failing.http.get("/v1/features/search?query=shark").status_code == 503
        assert steer(failing.http, image).status_code == 200
        assert failing.http.post("/v1/encode", json={"image": image}).status_code == 200
        assert failing.http.get("/v1/features?limit=1").status_code == 200

    refused("make it a shark")
    for _ in range(2):
        with chroma(chroma_port, tmp_path / "chroma"):
            soon(lambda: ask(failing.http, image, "make it a shark").status_code == 200)
            assert ask(failing.http, image, "give it a pizza head").json()["plan"]["operations"]
        refused(f"make it a robot {os.urandom(4).hex()}")  # a prompt that nothing remembers


def test_a_killed_retrieval_loses_no_request(failing: Server, image: str, chroma_port: int, tmp_path: Path) -> None:
    with chroma(chroma_port, tmp_path / "chroma"):
        soon(lambda: anew(failing.http, image).status_code == 200)
        seen = under_load(lambda http: anew(http, image), failing, lambda: killed(failing, "Retrieval"))
    assert set(seen) == {200}, seen


def test_a_killed_gateway_loses_only_what_it_worked_on(failing: Server, image: str) -> None:
    seen = under_load(lambda http: steer(http, image), failing, lambda: killed(failing, "Gateway"))
    soon(lambda: steer(failing.http, image).status_code == 200)
    assert seen.total() - seen[200] <= CLIENTS, seen


UPDATE = """
import sys
import ray
from ray import serve as ray_serve
from serve.graph import Arguments, build
ray.init(logging_level="ERROR")
ray_serve.run(build(Arguments(bundle=sys.argv[1], gateways=2)), name="swiggle", route_prefix="/")
"""


def test_an_update_of_the_bundle_loses_no_request(
    failing: Server, image: str, hand_folder: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "new"
    shutil.copytree(hand_folder, bundle, ignore=shutil.ignore_patterns("hand_labels*"))
    HandLabelFile(bundle, dictionary_id(bundle)).change({5: "of the new bundle"})
    raylet = Path("/proc") / str(processes(failing, "raylet/raylet")[0])
    options = dict(word.partition("=")[::2] for word in (raylet / "cmdline").read_text().split("\0"))
    given = dict(line.partition("=")[::2] for line in (raylet / "environ").read_text().split("\0"))
    ours = {name: value for name, value in given.items() if name.startswith("RAY_")}
    environment = {**ENVIRONMENT, **ours, "RAY_ADDRESS": options["--gcs-address"]}

    def update() -> None:
        done = subprocess.run(
            [sys.executable, "-c", UPDATE, str(bundle)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        soon(lambda: failing.http.get("/v1/labels").json()["labels"] == {"5": "of the new bundle"})

    session = failing.http.post("/v1/encode", json={"image": image}).json()["session"]
    body = {"session": session, "plan": {"operations": [{"op": "add", "feature": 3}]}}
    seen = under_load(lambda http: http.post("/v1/steer", json=body), failing, update)
    assert set(seen) == {200}, seen


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What `python -m serve` says of a command line that it refuses."""
    monkeypatch.setattr(sys, "argv", ["serve", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("damaged", ["vae/model.safetensors", "atlas/features.parquet", "bundle.json"])
def test_a_damaged_bundle_is_refused_at_start(
    hand_copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], damaged: str
) -> None:
    content = bytearray((hand_copy / damaged).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (hand_copy / damaged).write_bytes(content)
    assert damaged in refused(monkeypatch, capsys, "--bundle", hand_copy)


def test_a_port_in_use_is_named(
    hand_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"--port: {port}" in refused(monkeypatch, capsys, "--bundle", hand_folder, "--port", port)
