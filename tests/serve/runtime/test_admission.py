"""Limits on what is worked on at once, deadlines and request ids: what is refused, and how."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from serve.runtime import admission
from serve.runtime.admission import Admission
from serve.runtime.request_ids import RequestIds, request_id


class Slow:
    """An application whose requests wait for `go`."""

    def __init__(self, **limits: float) -> None:
        self.go = asyncio.Event()
        self.cancelled = 0
        self.app = FastAPI()
        self.app.add_middleware(Admission, **limits)
        self.app.add_middleware(RequestIds)

        @self.app.get("/v1/slow")
        async def slow() -> str:
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            return request_id.get()

        @self.app.get("/healthz")
        async def health() -> str:
            return "ok"

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://localhost")


async def together(slow: Slow, count: int) -> AsyncIterator[httpx.Response]:
    async with slow.client() as client:
        waiting = [asyncio.create_task(client.get("/v1/slow")) for _ in range(count)]
        await asyncio.sleep(0.05)
        assert (await client.get("/healthz")).status_code == 200
        slow.go.set()
        for task in waiting:
            yield await task


def test_a_server_that_refuses_keeps_few_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def accepted(slow: Slow, count: int) -> int:
        return [answer.status_code async for answer in together(slow, count)].count(200)

    async def check() -> None:
        slow = Slow(limit=12)
        assert await accepted(slow, 12) == 12
        slow.go.clear()
        monkeypatch.setattr(admission, "REFUSING_FOR", 60.0)
        assert await accepted(slow, 13) == 12
        slow.go.clear()
        assert await accepted(slow, 12) == admission.LIMIT_REFUSING
        slow.go.clear()
        monkeypatch.setattr(admission, "REFUSING_FOR", 0.0)
        assert await accepted(slow, 12) == 12

    asyncio.run(check())


def test_above_the_limit_requests_are_refused_at_once() -> None:
    async def check() -> None:
        slow = Slow(limit=3)
        answers = [answer async for answer in together(slow, 10)]
        refused = [a for a in answers if a.status_code == 503]
        assert (len(refused), len(answers)) == (7, 10)
        for answer in refused:
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["error"]["code"] == "overloaded"
        assert [a.status_code async for a in together(slow, 3)] == [200] * 3

    asyncio.run(check())


def test_a_request_past_its_deadline_is_given_up() -> None:
    async def check() -> None:
        slow = Slow(deadline=0.05)
        async with slow.client() as client:
            late = await client.get("/v1/slow")
        assert (late.status_code, late.json()["error"]["code"]) == (503, "deadline_exceeded")
        assert late.headers["retry-after"] == "1"
        assert slow.cancelled == 1

    asyncio.run(check())


@pytest.mark.parametrize("given", ["abc-123", "x" * 1000, None])
def test_request_ids_in_and_out(given: str | None) -> None:
    async def check() -> None:
        slow = Slow()
        slow.go.set()
        async with slow.client() as client:
            answer = await client.get("/v1/slow", headers={"X-Request-Id": given} if given else {})
        assert answer.headers["x-request-id"] == answer.json()
        assert answer.json() == (given[:200] if given else answer.json())
        assert answer.json() != "-"

    asyncio.run(check())
