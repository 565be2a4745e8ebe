"""Handles to other deployments: failures become answers, and calls that a dying replica lost are made again.

Every method of a part may be called twice: all of them answer the same, or leave the same behind, the second time.
"""

import inspect
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_delay, wait_exponential

from serve.runtime.api_errors import ApiError, unavailable

log = logging.getLogger("ray.serve.swiggle")
_PATIENCE = 25.0
"""Seconds in which a replica that died has been replaced, on a busy machine too; a request is given up after 30."""


class RemoteHandle:
    """Like a Serve handle; `remote` gives a coroutine."""

    def __init__(self, handle: DeploymentHandle) -> None:
        self._handle = handle

    def __getattr__(self, name: str) -> "RemoteMethod":
        return RemoteMethod(self._handle, name)


class RemoteMethod:
    def __init__(self, handle: DeploymentHandle, name: str) -> None:
        self._method, self._name = getattr(handle, name), name

    async def remote(self, *arguments: Any) -> Any:
        """The method's result. Arguments may be awaitables. Raises `ApiError` 503 when the deployment is overloaded, or
        when no replica has taken the call for 25 seconds."""
        ready = [await a if inspect.isawaitable(a) else a for a in arguments]
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(RayActorError),
            stop=stop_after_delay(_PATIENCE),
            wait=wait_exponential(multiplier=0.05, max=1.0),
        )
        try:
            async for attempt in retrying:
                with attempt:
                    answer = await self._method.remote(*ready)
        except BackPressureError as error:
            raise unavailable("overloaded", "too many requests are waiting; try again") from error
        except (RetryError, DeploymentUnavailableError) as error:
            log.error("%s is not there: %r", self._name, error)
            raise unavailable("unavailable", "a part of the server is starting anew; try again") from error
        if isinstance(answer, ApiError):
            raise answer
        return answer


def refusals_returned(method: Callable[..., Any]) -> Callable[..., Any]:
    """A part's method for use in a replica: it returns the `ApiError` that it would raise, since Serve logs what is
    raised in a replica as a fault of it, and `RemoteMethod` raises it at the caller."""

    @wraps(method)
    def call(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except ApiError as refusal:
            return refusal

    return call
