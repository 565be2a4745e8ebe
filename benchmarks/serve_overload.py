"""What the server does when it is asked for twice what it can do, and whether its memory grows.

    python -m benchmarks.serve_overload --bundle runs/demo --seconds 60
    python -m benchmarks.serve_overload --bundle runs/demo --seconds 600 --times 0.5      # steady: memory

First the sustainable rate of slider steps (16 clients that call again at once), then requests at `--times` that rate,
whether answered or not, then what it takes until requests are as quick as before. The load generator shares the
processors.
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.serve_latency import Connection, Load, RefusedError, prepare, running, timed
from swiggle.bundle import Bundle

MOST = 400
"""Connections of the load generator; a request that finds none free is not sent, and counted."""


class Arrivals:
    """Slider steps at a fixed rate, each over a free connection."""

    def __init__(self, port: int, load: Load) -> None:
        self.port, self.body = port, load.slider()
        self.free: list[Connection] = []
        self.open = 0
        self.seen: Counter[str] = Counter()
        self.took: list[tuple[float, float]] = []
        """When a request was sent, and how long its answer took, of those answered 200."""

    async def one(self) -> None:
        connection = self._kept()
        if connection is None and self.open >= MOST:
            self.seen["not sent"] += 1
            return
        if connection is None:
            self.open += 1
            connection = Connection(*await asyncio.open_connection("127.0.0.1", self.port))
        start = time.perf_counter()
        try:
            await connection.call("POST", "/v1/steer", self.body)
            self.took.append((start, time.perf_counter() - start))
            self.seen["200"] += 1
        except RefusedError:
            self.seen["503"] += 1
        except Exception as error:  # anything else is what must not happen, and is counted under its name
            self.seen[type(error).__name__] += 1
            self.open -= 1
            return
        self.free.append(connection)

    def _kept(self) -> Connection | None:
        """A connection that is free and that the server has not closed after a while without requests."""
        while self.free:
            if not (connection := self.free.pop()).closed:
                return connection
            self.open -= 1
            self.seen["closed while idle"] += 1
        return None

    async def run(self, rate: float, seconds: float) -> None:
        begun, sent, tasks = time.perf_counter(), 0, set()
        while (now := time.perf_counter() - begun) < seconds:
            while sent < now * rate:
                task = asyncio.create_task(self.one())
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                sent += 1
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)

    def p99(self) -> float:
        return 1e3 * float(np.percentile([spent for _, spent in self.took], 99))


def memory() -> float:
    """MiB of the replicas of this user's servers."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if "ServeReplica:swiggle" in (folder / "cmdline").read_text():
                total += int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total / 2**20


async def overload(url: str, load: Load, times: float, seconds: float) -> None:
    port = int(url.rpartition(":")[2])
    connections = [Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(16)]
    body = load.slider()
    step = await timed(lambda number: connections[number].call("POST", "/v1/steer", body), 16, 5)
    print(f"sustainable: {step['rate']:.0f} slider steps a second, 16 clients, p99 {step['p99']:.1f} ms")
    calm = Arrivals(port, load)
    await calm.run(0.5 * step["rate"], 5)
    print(f"at half of it: p99 {calm.p99():.1f} ms, {dict(calm.seen)}")
    before = memory()
    storm = Arrivals(port, load)
    await storm.run(times * step["rate"], seconds)
    print(f"at {times:g} times, {seconds:g} s: p99 of those accepted {storm.p99():.1f} ms, {dict(storm.seen)}")
    print(f"memory of the replicas: {before:.0f} MiB before, {memory():.0f} MiB after ({memory() / before - 1:+.1%})")
    after = Arrivals(port, load)
    begun = time.perf_counter()
    await after.run(0.5 * step["rate"], 5)
    recovered = recovery(after, begun, calm)
    print(f"afterwards: {dict(after.seen)}, p99 {after.p99():.1f} ms, recovered after {recovered:.1f} s")


def recovery(after: Arrivals, begun: float, calm: Arrivals) -> float:
    """Seconds until the requests of half a second are, at the median, at most 1.5 times as slow as when it was calm."""
    usual = np.median([spent for _, spent in calm.took])
    for half in range(10):
        window = [spent for sent, spent in after.took if half / 2 <= sent - begun < half / 2 + 0.5]
        if window and np.median(window) <= 1.5 * usual:
            return half / 2
    return float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--times", type=float, default=2.0, help="the sustainable rate")
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle)
    with running("fused", options.bundle) as url:
        asyncio.run(overload(url, prepare(url, bundle, options.bundle), options.times, options.seconds))


if __name__ == "__main__":
    main()
