"""Handles to parts of this process and of others: order, retries, and failures that become answers."""

import asyncio
import pickle
from typing import Any

import pytest
import ray
from ray.serve.exceptions import BackPressureError

from serve.parts import remote
from serve.parts.local import LocalHandle, Turns
from serve.parts.remote import RemoteHandle, refusals_returned
from serve.runtime.api_errors import ApiError


class Part:
    def __init__(self) -> None:
        self.running = 0
        self.seen: list[int] = []

    def double(self, number: int) -> int:
        self.running += 1
        assert self.running == 1
        self.seen.append(number)
        self.running -= 1
        return 2 * number


@pytest.mark.parametrize("in_thread", [False, True])
def test_local_calls_take_turns_and_take_awaitables(in_thread: bool) -> None:
    async def check() -> None:
        part = Part()
        handle = LocalHandle(part, Turns(), in_thread)
        assert await handle.double.remote(handle.double.remote(5)) == 20
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticking = asyncio.create_task(tick())
        assert await asyncio.gather(*(handle.double.remote(i) for i in range(20))) == [2 * i for i in range(20)]
        ticking.cancel()
        assert part.seen == [5, 10, *range(20)]
        assert ticks >= 20  # the loop saw to other things between any two calls

    asyncio.run(check())


class Failing:
    """A Serve handle whose method fails with each of `errors` in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.double = self

    def remote(self, number: int) -> Any:
        async def answer() -> int:
            self.calls += 1
            if self.errors:
                raise self.errors.pop(0)
            return 2 * number

        return answer()


def test_calls_that_a_dying_replica_lost_are_made_again() -> None:
    handle = Failing(ray.exceptions.ActorDiedError(), ray.exceptions.ActorUnavailableError("gone", None))
    assert asyncio.run(RemoteHandle(handle).double.remote(4)) == 8
    assert handle.calls == 3


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([BackPressureError(1, 1)], "overloaded"),
        ([ray.exceptions.ActorDiedError() for _ in range(1000)], "unavailable"),
        ([ApiError(503, "retrieval_unavailable", "no Chroma")], "retrieval_unavailable"),
    ],
)
def test_failures_are_answers(errors: list[Exception], code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PATIENCE", 0.2)
    with pytest.raises(ApiError) as failed:
        asyncio.run(RemoteHandle(Failing(*errors)).double.remote(4))
    assert (failed.value.status, failed.value.code) == (503, code)


def test_refusals_come_back_as_answers() -> None:
    class Refusing:
        def double(self, number: int) -> int:
            raise ApiError(503, "retrieval_unavailable", "no Chroma")

    returned = refusals_returned(Refusing.double)(Refusing(), 4)
    assert isinstance(returned, ApiError)
    again = pickle.loads(pickle.dumps(returned))
    assert (again.status, again.code, again.message) == (503, "retrieval_unavailable", "no Chroma")

    class Handle:
        async def remote(self, number: int) -> ApiError:
            return again

        double = property(lambda self: self)

    with pytest.raises(ApiError, match="no Chroma"):
        asyncio.run(RemoteHandle(Handle()).double.remote(4))


def test_other_errors_are_not_tried_again() -> None:
    handle = Failing(ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(RemoteHandle(handle).double.remote(4))
    assert handle.calls == 1
