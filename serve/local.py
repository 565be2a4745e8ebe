"""A stand-in for a Serve handle that calls an object of this process.

    encoder = LocalHandle(EncoderPart(bundle))
    latent = encoder.encode.remote(picture)       # a task; may be passed on before it is done
    activations = await sparse.activate.remote(latent)

The Gateway is written once against handles; with these, its parts cost no hop between processes.
"""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


class LocalHandle:
    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> "LocalMethod":
        return LocalMethod(getattr(self._target, name))


class LocalMethod:
    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def remote(self, *arguments: Any) -> asyncio.Task:
        """Start the call in a thread, so that torch never holds up the event loop."""
        return asyncio.ensure_future(self._call(arguments))

    async def _call(self, arguments: tuple[Any, ...]) -> Any:
        ready = [await a if inspect.isawaitable(a) else a for a in arguments]
        return await asyncio.to_thread(self._method, *ready)
