"""How long a request takes, and where its time goes: this server beside the ways it could have been built.

    python -m benchmarks.serve_latency --bundle runs/demo
    python -m benchmarks.serve_latency --bundle runs/demo --servers uvicorn fused --seconds 3

Servers, one after the other on the same machine, the load generator beside them:

    uvicorn   one process: the same application with every part in it, as one would write it by hand
    fused     python -m serve
    split     python -m serve --placement split
    eight     python -m serve --gateways 8, for machines with as many cores
    default   python -m serve with Serve's own proxy and settings in place of HAProxy and throughput mode

All ratios are to uvicorn of the same run. A cold prompt is one that was not asked before.
"""

import argparse
import asyncio
import base64
import itertools
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from websockets.asyncio.client import connect

from swiggle.bundle import Bundle
from swiggle.data.pixels import encode_png
from swiggle.data.reading import read_pictures

SERVERS = {
    "uvicorn": (["benchmarks.serve_plain"], {}),
    "fused": (["serve"], {}),
    "split": (["serve", "--placement", "split"], {}),
    "eight": (["serve", "--gateways", "8"], {}),
    "default": (["serve"], {"RAY_SERVE_ENABLE_HA_PROXY": "0", "RAY_SERVE_THROUGHPUT_OPTIMIZED": "0"}),
}

SETTLE = 3.0
"""Seconds from a server's first answer on: Ray still starts HAProxy anew, which ends connections that are idle."""


@dataclass
class Load:
    """What is asked: a picture, its session, a plan, and prompts that differ."""

    picture: str
    session: str
    plan: dict
    labels: list[str]
    fresh: Iterator[int]

    def slider(self) -> bytes:
        return json.dumps({"session": self.session, "plan": self.plan, "format": "png"}).encode()

    def cached(self) -> bytes:
        return json.dumps({"image": self.picture, "prompt": "make it a shark"}).encode()

    def cold(self) -> bytes:
        number = next(self.fresh)
        words = f"{self.labels[number % len(self.labels)]} {number}"
        return json.dumps({"image": self.picture, "prompt": f"give it a {words}"}).encode()

    def frame(self) -> str:
        return json.dumps({"id": next(self.fresh), "session": self.session, "plan": self.plan})


@contextmanager
def running(name: str, bundle: str) -> Iterator[str]:
    """A server of `SERVERS`; its address."""
    module, environment = SERVERS[name]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-m", *module, "--bundle", bundle, "--port", str(port)]
        # One thread a process, as Ray gives its replicas: more of them only wait for each other on work so small.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                try:
                    if httpx.get(f"{url}/healthz", timeout=5).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(log.read()[-3000:])
                time.sleep(0.2)
            time.sleep(SETTLE)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


async def timed(call: Callable[[int], Awaitable[bytes]], clients: int, seconds: float) -> dict[str, float]:
    """Clients that call again as soon as they are answered: median and 99% in ms, and calls a second."""
    took: list[float] = []
    refused = 0
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        nonlocal refused
        while (start := time.perf_counter()) < end:
            try:
                await call(number)
                took.append(time.perf_counter() - start)
            except RefusedError:
                refused += 1

    begun = time.perf_counter()
    await asyncio.gather(*(client(i) for i in range(clients)))
    spent = time.perf_counter() - begun
    p50, p99 = np.percentile(took, [50, 99]) * 1e3
    return {"p50": float(p50), "p99": float(p99), "rate": len(took) / spent, "errors": refused}


class RefusedError(Exception):
    """503."""


class Connection:
    """HTTP/1.1 over one connection that stays open, in as little of the shared processor's time as Python can."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @property
    def closed(self) -> bool:
        """Whether the other side has closed it."""
        return self._reader.at_eof()

    async def call(self, method: str, path: str, body: bytes = b"") -> bytes:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        content = await self._reader.readexactly(length)
        if answer[9:12] == b"503":
            raise RefusedError
        assert answer[9:12] == b"200", (answer, content)
        return content


async def measure(url: str, load: Load, seconds: float, clients: int) -> dict[str, dict[str, float]]:
    port = int(url.rpartition(":")[2])
    connections = [Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(clients)]

    def posting(path: str, body: Callable[[], bytes]) -> Callable[[int], Awaitable[bytes]]:
        return lambda number: connections[number].call("POST", path, body())

    calls = {
        "healthz": lambda number: connections[number].call("GET", "/healthz"),
        "slider": posting("/v1/steer", load.slider),
        "prompt cached": posting("/v1/edits", load.cached),
        "prompt cold": posting("/v1/edits", load.cold),
    }
    results = {}
    for name, call in calls.items():
        await timed(call, clients, 0.3)
        results[name] = await timed(call, clients, seconds)
    address = f"ws{url.removeprefix('http')}/v1/steer/stream"
    sockets = [await connect(address) for _ in range(clients)]

    async def frame(number: int) -> bytes:
        await sockets[number].send(load.frame())
        assert "error" not in json.loads(await sockets[number].recv())
        return bytes(await sockets[number].recv(decode=False))

    await timed(frame, clients, 0.3)
    results["frame"] = await timed(frame, clients, seconds)
    for open_socket in sockets:
        await open_socket.close()
    return results


def prepare(url: str, bundle: Bundle, location: str) -> Load:
    picture = base64.b64encode(
        encode_png(read_pictures(Path(location, "data/test"), bundle.image_size, limit=1).images[0])
    )
    with httpx.Client(base_url=url, timeout=60) as http:
        edit = http.post("/v1/edits", json={"image": picture.decode(), "prompt": "make it a shark"}).json()
    labels = [label for label in dict.fromkeys(bundle.atlas.labels) if label != "unexplained"]
    return Load(picture.decode(), edit["session"], edit["plan"], labels, itertools.count())


def breakdown(bundle: Bundle, load: Load, repeats: int = 200) -> dict[str, float]:
    """Milliseconds of each thing that a slider step or a prompt consists of, alone in this process."""
    from serve.parts.in_process import engine_in_process
    from serve.parts.model_parts import SteeringPart
    from serve.parts.pictures import bytes_from_text, picture_from_bytes, to_png
    from serve.parts.retrieval_part import RetrievalPart
    from serve.routes import schemas

    engine, retrieval, steering = engine_in_process(bundle), RetrievalPart(bundle), SteeringPart(bundle)
    body = load.slider()
    request = schemas.SteerRequest.model_validate_json(body)
    latent = engine.sessions.get(load.session).latent
    activations = bundle.activations(latent[None])[0]
    picture = picture_from_bytes(bytes_from_text(load.picture), bundle.image_size)
    edited = steering.steer(latent, request.plan, {})
    requests = retrieval.understand("make it a shark")
    fresh = itertools.count()
    parts: dict[str, Callable[[], object]] = {
        "read and check the request": lambda: schemas.SteerRequest.model_validate_json(body),
        "session to latent": lambda: engine.sessions.get(load.session),
        "picture to latent": lambda: bundle.encode(picture[None]),
        "latent to features": lambda: bundle.activations(latent[None]),
        "plan and decode": lambda: steering.steer(latent, request.plan, {}),
        "write the PNG": lambda: to_png(edited),
        "understand a prompt, cold": lambda: retrieval.understand(
            f"give it a {load.labels[next(fresh) % len(load.labels)]} x{next(fresh)}"
        ),
        "compose a plan": lambda: steering.compose(requests, activations, latent),
    }
    found = {}
    for name, part in parts.items():
        spent = []
        for _ in range(repeats if "prompt" not in name else repeats // 5):
            start = time.perf_counter()
            part()
            spent.append(time.perf_counter() - start)
        found[name] = 1e3 * statistics.median(spent)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo")
    asked = [name for name in SERVERS if name != "eight"]
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=asked)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 32])
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    everything: dict[int, dict[str, dict[str, dict[str, float]]]] = {c: {} for c in options.clients}
    for server in options.servers:
        with running(server, options.bundle) as url:
            load = prepare(url, bundle, options.bundle)
            for clients in options.clients:
                found = asyncio.run(measure(url, load, options.seconds, clients))
                everything[clients][server] = found
                for call, row in found.items():
                    first = everything[clients].get("uvicorn", {}).get(call)
                    ratio = f"{row['p50'] / first['p50']:6.2f} {row['rate'] / first['rate']:6.2f}" if first else ""
                    print(
                        f"c={clients:<3} {server:8} {call:14} p50 {row['p50']:8.2f} ms  p99 {row['p99']:8.2f} ms "
                        f"{row['rate']:8.1f}/s  errors {row['errors']:g}  p50 and rate to uvicorn {ratio}",
                        flush=True,
                    )
    print("in one process, ms:")
    for name, spent in breakdown(bundle, load).items():
        print(f"  {name:28} {spent:7.3f}")


if __name__ == "__main__":
    main()
