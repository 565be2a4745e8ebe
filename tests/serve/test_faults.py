"""A server whose parts fail: Chroma that comes and goes, replicas that are killed, bundles that are damaged."""

import base64
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from swiggle.atlas.hand_labels import HandLabelFile
from swiggle.manifest import dictionary_id
from tests.conftest import ENVIRONMENT, Server, free_port, run_module

pytestmark = pytest.mark.integration
CLIENTS = 4


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


def processes(server: Server, part: str) -> list[int]:
    """Process ids of a server's children, at whatever remove, whose command line has a part."""
    parents, commands = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            commands[int(folder.name)] = (folder / "cmdline").read_text()
        except OSError:
            continue  # it ended meanwhile

    def of_server(pid: int) -> bool:
        while pid in parents and pid != server.process.pid:
            pid = parents[pid]
        return pid == server.process.pid

    return [pid for pid, command in commands.items() if part in command and of_server(pid)]


def replicas(server: Server, deployment: str) -> list[int]:
    return processes(server, f"ServeReplica:swiggle:{deployment}")


def soon(condition: Callable[[], bool], seconds: float = 60) -> float:
    """Wait until a condition holds; how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds
        time.sleep(0.1)
    return time.monotonic() - start


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


def steer(http: httpx.Client, image: str) -> httpx.Response:
    return http.post("/v1/steer", json={"image": image, "plan": {"operations": [{"op": "add", "feature": 3}]}})


def ask(http: httpx.Client, image: str, prompt: str) -> httpx.Response:
    return http.post("/v1/edits", json={"image": image, "prompt": prompt})


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


def under_load(call: Callable[[httpx.Client], httpx.Response], server: Server, kill: Callable[[], None]) -> Counter:
    """What clients that ask all the time get while something is killed: how often each status."""
    stop = False

    def ask_on(_: int) -> Counter:
        seen: Counter = Counter()
        with httpx.Client(base_url=server.url, timeout=60) as http:
            while not stop:
                try:
                    seen[call(http).status_code] += 1
                except httpx.TransportError as error:
                    seen[type(error).__name__] += 1
        return seen

    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(ask_on, i) for i in range(CLIENTS)]
        try:
            time.sleep(1)
            kill()
            time.sleep(1)
        finally:
            stop = True
        return sum((task.result() for task in asking), Counter())


def anew(http: httpx.Client, image: str) -> httpx.Response:
    """An edit that needs every part: no Gateway remembers the prompt."""
    return ask(http, image, f"make it a shark {os.urandom(4).hex()}")


def killed(server: Server, deployment: str) -> None:
    """Kill one of a deployment's replicas and wait for the next."""
    old = replicas(server, deployment)
    os.kill(old[0], signal.SIGKILL)
    soon(lambda: bool(set(replicas(server, deployment)) - set(old)))


def test_a_killed_retrieval_loses_no_request(failing: Server, image: str, chroma_port: int, tmp_path: Path) -> None:
    with chroma(chroma_port, tmp_path / "chroma"):
        soon(lambda: anew(failing.http, image).status_code == 200)
        seen = under_load(lambda http: anew(http, image), failing, lambda: killed(failing, "Retrieval"))
    assert set(seen) == {200}, seen


def test_a_killed_gateway_loses_only_what_it_worked_on(failing: Server, image: str) -> None:
    seen = under_load(lambda http: steer(http, image), failing, lambda: killed(failing, "Gateway"))
    soon(lambda: steer(failing.http, image).status_code == 200)
    assert seen.total() - seen[200] <= CLIENTS, seen


@pytest.fixture(scope="module")
def split(hand_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(hand_folder, tmp_path_factory.mktemp("split") / "log", "--placement", "split", "--gateways", "2")
    yield running
    running.stop()


@pytest.mark.parametrize("deployment", ["Encoder", "SparseFeatures", "Steering", "Retrieval"])
def test_a_killed_part_loses_no_request(split: Server, image: str, deployment: str) -> None:
    seen = under_load(lambda http: anew(http, image), split, lambda: killed(split, deployment))
    assert set(seen) == {200}, seen


def test_a_killed_gateway_before_parts_loses_only_what_it_worked_on(split: Server, image: str) -> None:
    seen = under_load(lambda http: anew(http, image), split, lambda: killed(split, "Gateway"))
    soon(lambda: anew(split.http, image).status_code == 200)
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


def test_a_damaged_bundle_is_refused_at_start(hand_folder: Path, tmp_path: Path) -> None:
    for damaged in ("vae/model.safetensors", "atlas/features.parquet", "bundle.json"):
        bundle = tmp_path / damaged.replace("/", "-")
        shutil.copytree(hand_folder, bundle)
        content = bytearray((bundle / damaged).read_bytes())
        content[len(content) // 2] ^= 0xFF
        (bundle / damaged).write_bytes(content)
        refused = run_module("serve", "--bundle", str(bundle))
        assert refused.returncode == 2
        assert damaged in refused.stdout
        assert "Traceback" not in refused.stdout


def test_a_port_in_use_is_named(failing: Server, hand_folder: Path) -> None:
    refused = run_module("serve", "--bundle", str(hand_folder), "--port", str(failing.port))
    assert refused.returncode == 2
    assert f"--port: {failing.port}" in refused.stdout
