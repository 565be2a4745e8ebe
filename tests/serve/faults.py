"""Faults of a running server: its processes killed while clients ask."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.conftest import Server

CLIENTS = 4
PAUSE_SECONDS = 0.05
"""Between a client's answer and its next request, so that what starts beside the load finds a processor."""


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


def steer(http: httpx.Client, image: str) -> httpx.Response:
    return http.post("/v1/steer", json={"image": image, "plan": {"operations": [{"op": "add", "feature": 3}]}})


def ask(http: httpx.Client, image: str, prompt: str) -> httpx.Response:
    return http.post("/v1/edits", json={"image": image, "prompt": prompt})


def under_load(call: Callable[[httpx.Client], httpx.Response], server: Server, kill: Callable[[], None]) -> Counter:
    """What clients that ask all the time get while something is killed: how often each status."""
    stop = False

    def ask_on(_: int) -> Counter:
        seen: Counter = Counter()
        with httpx.Client(base_url=server.url, headers=server.headers, timeout=60) as http:
            while not stop:
                time.sleep(PAUSE_SECONDS)
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
