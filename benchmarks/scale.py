"""What serving costs from one machine to many: unit costs measured here, a discrete-event simulation of the served
graph, and the simulation's small end beside a real server.

    python -m benchmarks.scale --bundle runs/demo                                # measure, then simulate larger ones
    python -m benchmarks.scale --bundle runs/demo --url http://127.0.0.1:8000    # and compare with that server

A request is work for three stations in turn, with the times that were measured in one process: its Gateway (read,
encode, activate), a Retrieval (plan), its Gateway again (steer, encode and activate the result, answer). A station is a
process that does one thing at a time; a machine has so many cores, and a process that works holds one.
"""

import argparse
import base64
import random
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import simpy
import torch

from swiggle.bundle import Bundle
from swiggle.data.pixels import decode_picture, encode_png, resize
from swiggle.editing.composer import Picture

PROMPTS = ("make it a shark", "give it a pizza head", "less red on the shirt", "blue glasses", "a cool background")
WARM_UP_SHARE = 0.1
"""Share of a simulation at its start whose requests are not counted."""


@dataclass(frozen=True)
class Costs:
    """Measured seconds of each kind of work; the simulation draws from them."""

    before: Sequence[float]
    """A Gateway's work on a request before it is planned."""
    plan: Sequence[float]
    after: Sequence[float]
    """A Gateway's work afterwards."""
    overhead: float = 0.0
    """Seconds a request spends between processes, for which no core of ours works."""


@dataclass(frozen=True)
class Machine:
    cores: int
    gateways: int
    retrievals: int


@dataclass(frozen=True)
class Outcome:
    """Edits a second, and seconds from request to answer."""

    rate: float
    mean: float
    p50: float
    p99: float


def simulate(
    costs: Costs, machine: Machine, seconds: float, *, clients: int = 0, rate: float = 0.0, seed: int = 0
) -> Outcome:
    """One machine under load: `clients` that each ask again when answered, or requests that arrive at random at
    `rate` a second."""
    world = simpy.Environment()
    draw = random.Random(seed)
    cores = simpy.Resource(world, machine.cores)
    gateways = [simpy.Resource(world, 1) for _ in range(machine.gateways)]
    retrievals = [simpy.Resource(world, 1) for _ in range(machine.retrievals)]
    done: list[tuple[float, float]] = []

    def work(station: simpy.Resource, times: Sequence[float]) -> Generator[simpy.Event, Any, None]:
        with station.request() as turn:
            yield turn
            with cores.request() as core:
                yield core
                yield world.timeout(draw.choice(times))

    def least_busy(stations: list[simpy.Resource]) -> simpy.Resource:
        """Of two at random the one with less to do, as Serve chooses."""
        pair = draw.sample(stations, min(2, len(stations)))
        return min(pair, key=lambda station: station.count + len(station.queue))

    def request() -> Generator[simpy.Event, Any, None]:
        start = world.now
        gateway = least_busy(gateways)
        yield from work(gateway, costs.before)
        if retrievals:
            yield from work(least_busy(retrievals), costs.plan)
        yield from work(gateway, costs.after)
        yield world.timeout(costs.overhead)
        done.append((start, world.now))

    def client() -> Generator[simpy.Event, Any, None]:
        while True:
            yield from request()

    def arrivals() -> Generator[simpy.Event, Any, None]:
        while True:
            yield world.timeout(draw.expovariate(rate))
            world.process(request())

    for _ in range(clients):
        world.process(client())
    if rate:
        world.process(arrivals())
    world.run(until=seconds)
    first = WARM_UP_SHARE * seconds
    counted = [end - start for start, end in done if end >= first]
    p50, p99 = np.quantile(counted, [0.5, 0.99])
    return Outcome(len(counted) / (seconds - first), float(np.mean(counted)), float(p50), float(p99))


def timed(work: Callable[[int], object], times: int = 60, warm: int = 5) -> list[float]:
    """Seconds of each of `times` calls."""
    taken = []
    for number in range(-warm, times):
        start = time.perf_counter()
        work(number)
        if number >= 0:
            taken.append(time.perf_counter() - start)
    return taken


def measure(bundle: Bundle) -> Costs:
    """The unit costs on one thread of this machine."""
    torch.set_num_threads(1)
    png = bundle.atlas.pictures[bundle.atlas.samples[0]]
    image = decode_picture(png)
    z = bundle.encode(image[None])
    picture = Picture(bundle.activations(z)[0], z[0].ravel())
    plans = [bundle.planner.plan(prompt, picture).plan for prompt in PROMPTS]
    active = torch.from_numpy(picture.activations[None])

    def before(number: int) -> None:
        bundle.activations(bundle.encode(decode_picture(png)[None]))

    def after(number: int) -> None:
        edited = bundle.steering.steer(torch.from_numpy(z), plans[number % len(plans)], {"0": active[0]})
        bundle.activations(bundle.encode(edited))
        encode_png(edited[0])

    planning = timed(lambda number: bundle.planner.plan(PROMPTS[number % len(PROMPTS)], picture))
    return Costs(timed(before), planning, timed(after))


def per_picture(bundle: Bundle) -> dict[str, float]:
    """Seconds of one thread that a picture costs in each of the stages that touch every picture."""
    torch.set_num_threads(1)
    contents = list(bundle.atlas.pictures.values())[:256]
    images = np.stack([resize(decode_picture(content), bundle.image_size) for content in contents])
    z = bundle.encode(images)
    works: dict[str, Callable[[int], object]] = {
        "read its PNG": lambda _: [decode_picture(content) for content in contents],
        "encode": lambda _: bundle.encode(images),
        "activate features": lambda _: bundle.activations(z),
    }
    return {name: float(np.median(timed(work, 9, 1))) / len(contents) for name, work in works.items()}


def ask(url: str, clients: int, seconds: float) -> Outcome:
    """A real server with so many clients that ask again when answered."""
    picture = base64.b64encode(httpx.get(f"{url}/v1/samples/0.png", timeout=60).content).decode()
    end = time.monotonic() + seconds
    taken: list[float] = []

    def client(number: int) -> None:
        with httpx.Client(base_url=url, timeout=60) as http:
            while time.monotonic() < end:
                start = time.perf_counter()
                prompt = PROMPTS[(number + len(taken)) % len(PROMPTS)]
                http.post("/v1/edits", json={"image": picture, "prompt": prompt}).raise_for_status()
                taken.append(time.perf_counter() - start)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p50, p99 = np.quantile(taken, [0.5, 0.99])
    return Outcome(len(taken) / seconds, float(np.mean(taken)), float(p50), float(p99))


def calibrated(costs: Costs, one_client: Outcome) -> Costs:
    """The costs with what a real request of a single client takes beyond them, between processes and in libraries."""
    alone = sum(float(np.median(times)) for times in (costs.before, costs.plan, costs.after))
    return Costs(costs.before, costs.plan, costs.after, max(0.0, one_client.p50 - alone))


def shown(outcome: Outcome) -> str:
    return f"{outcome.rate:8.1f} /s   p50 {1e3 * outcome.p50:7.1f} ms   p99 {1e3 * outcome.p99:7.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo")
    parser.add_argument("--url", help="a server of the same bundle on this machine, with one Gateway and one Retrieval")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each measurement of the server takes")
    options = parser.parse_args()
    bundle = Bundle.load(options.bundle)
    stages = per_picture(bundle)
    for name, seconds in stages.items():
        print(f"{name:18s} {1e6 * seconds:7.0f} us a picture and thread")
    for count in (50_000, 1_000_000, 1_000_000_000):
        print(f"  {count:13,} pictures: {count * sum(stages.values()) / 3600:8.2f} core hours")
    costs = measure(bundle)
    for name, times in (("before", costs.before), ("plan", costs.plan), ("after", costs.after)):
        print(f"{name:7s} {1e3 * float(np.median(times)):6.2f} ms (median of {len(times)})")
    if options.url:
        ask(options.url, 2, 3.0)  # warm
        one = ask(options.url, 1, options.seconds)
        costs = calibrated(costs, one)
        print(f"between processes {1e3 * costs.overhead:.1f} ms (fitted to one client)")
        for clients in (1, 2, 4, 8):
            real = one if clients == 1 else ask(options.url, clients, options.seconds)
            model = simulate(costs, Machine(2, 1, 1), 60.0, clients=clients)
            print(f"{clients} clients   real {shown(real)}\n            model {shown(model)}")
    print("one machine of 16 cores under random arrivals:")
    busy = sum(float(np.mean(times)) for times in (costs.before, costs.plan, costs.after))
    planners = max(1, round(16 * float(np.mean(costs.plan)) / busy))
    machine = Machine(16, 16 - planners, planners)
    for load in (0.5, 0.7, 0.8, 0.9):
        outcome = simulate(costs, machine, 60.0, rate=load * 16 / busy)
        machines = int(np.ceil(1e5 / outcome.rate))
        print(f"  load {load:.0%} of the cores  {shown(outcome)}   100,000 edits/s: {machines:,} machines")


if __name__ == "__main__":
    main()
