"""A stand-in for a Serve handle that calls an object of this process.

    steering = LocalHandle(SteeringPart(bundle), Turns())
    picture = await steering.steer.remote(latent, plan, {})

The Gateway is written once against handles; with these, its parts cost no hop between processes. A call that is about
as short as the way to a thread and back runs on the event loop itself.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any


class Turns:
    """One call at a time, in the order of arrival; between two calls the event loop sees to its sockets, so that
    requests are counted, refused and cancelled while others are worked on."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        async with self._lock:
            await asyncio.sleep(0)
            yield


class LocalHandle:
    """`in_thread`: whether the calls are long enough to be worth a thread."""

    def __init__(self, target: Any, turns: Turns, in_thread: bool = False) -> None:
        self._target, self._turns, self._in_thread = target, turns, in_thread

    def __getattr__(self, name: str) -> "LocalMethod":
        return LocalMethod(getattr(self._target, name), self._turns, self._in_thread)


class LocalMethod:
    def __init__(self, method: Callable[..., Any], turns: Turns, in_thread: bool) -> None:
        self._method, self._turns, self._in_thread = method, turns, in_thread

    async def remote(self, *arguments: Any) -> Any:
        """The method's result. Arguments may be awaitables, as with Serve's handles."""
        ready = [await a if inspect.isawaitable(a) else a for a in arguments]
        async with self._turns.take():
            return await asyncio.to_thread(self._method, *ready) if self._in_thread else self._method(*ready)
