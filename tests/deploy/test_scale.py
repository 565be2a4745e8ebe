"""The simulation of the served graph against what queueing theory knows."""

import pytest

from benchmarks.scale import Costs, Machine, simulate


def test_a_single_queue_waits_as_in_theory() -> None:
    """M/D/1: with constant work S at a load of one half, waiting has mean S / 2, so the answer takes 1.5 S. Half of the
    requests find nobody before them and take S."""
    costs = Costs(before=[0.0], plan=[0.01], after=[0.0])
    busy = simulate(costs, Machine(cores=8, gateways=8, retrievals=1), 1_000.0, rate=50.0)
    assert busy.rate == pytest.approx(50.0, rel=0.02)
    assert busy.mean == pytest.approx(0.015, rel=0.03)
    assert busy.p50 == pytest.approx(0.01, rel=0.05)


def test_closed_clients_are_bound_by_the_slowest_station() -> None:
    costs = Costs(before=[0.002], plan=[0.010], after=[0.003])
    many = simulate(costs, Machine(4, 1, 1), 60.0, clients=16)
    assert many.rate == pytest.approx(100.0, rel=0.01)  # one Retrieval of 10 ms
    assert many.p50 == pytest.approx(0.16, rel=0.02)  # Little's law: 16 clients at 100 a second
    assert simulate(costs, Machine(4, 1, 2), 60.0, clients=16).rate == pytest.approx(200.0, rel=0.01)


def test_cores_bound_what_stations_do_at_once() -> None:
    costs = Costs(before=[0.005], plan=[0.005], after=[0.005], overhead=0.001)
    assert simulate(costs, Machine(1, 4, 4), 60.0, clients=8).rate == pytest.approx(1 / 0.015, rel=0.01)
    assert simulate(costs, Machine(2, 4, 4), 60.0, clients=1).p50 == pytest.approx(0.016)
