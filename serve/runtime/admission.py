"""Middleware: how many requests are worked on at once, and for how long.

Above the limit a request is refused at once with 503 and Retry-After, so that those accepted stay quick. A queue of
many clients that each wait for their answer is worth keeping. A server that has to refuse is asked for more than it can
do, and then a queue only adds to what every accepted request waits: so the limit is lower for a while after a refusal.
"""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.runtime.api_errors import error_body
from serve.runtime.limits import refuse

LIMIT = 32
"""HTTP requests that one Gateway works on or keeps waiting: what the last of them waits for is 32 slider steps."""
LIMIT_REFUSING = 3
"""The same, as long as requests are refused: enough to keep the Gateway busy."""
REFUSING_FOR = 0.5
"""Seconds after a refusal for which that holds."""
SOCKETS = 256
"""WebSockets that one Gateway keeps open."""
DEADLINE = 30.0
"""Seconds after which a request is given up."""
RETRY_AFTER = (b"retry-after", b"1")


class Admission:
    """Refuses what is above the limits; gives up what takes longer than the deadline. Health checks always pass."""

    def __init__(self, app: ASGIApp, limit: int = LIMIT, sockets: int = SOCKETS, deadline: float = DEADLINE) -> None:
        self.app, self.deadline = app, deadline
        self.limits = {"http": limit, "websocket": sockets}
        self.ongoing = {"http": 0, "websocket": 0}
        self.refused_at = -REFUSING_FOR

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan" or scope["path"] == "/healthz":
            await self.app(scope, receive, send)
            return
        if self.ongoing[kind] >= self._limit(kind):
            if kind == "http":
                self.refused_at = time.monotonic()
            await refuse(scope, send, 503, error_body(503, "overloaded", "too many requests; try again"), [RETRY_AFTER])
            return
        self.ongoing[kind] += 1
        try:
            await (self._in_time(scope, receive, send) if kind == "http" else self.app(scope, receive, send))
        finally:
            self.ongoing[kind] -= 1

    def _limit(self, kind: str) -> int:
        if kind == "http" and time.monotonic() - self.refused_at < REFUSING_FOR:
            return min(LIMIT_REFUSING, self.limits[kind])
        return self.limits[kind]

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self.deadline):
                await self.app(scope, receive, watched)
        except TimeoutError:
            if started:
                raise
            message = f"no answer within {self.deadline:g} s; try again"
            await refuse(scope, send, 503, error_body(503, "deadline_exceeded", message), [RETRY_AFTER])
