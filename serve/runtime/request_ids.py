"""Middleware: `X-Request-Id` in, out and in the log."""

import contextvars
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")
_LONGEST = 200


class RequestIds:
    """Takes a request's id or makes one up. `answer` is off behind Serve, which does the same and answers it itself."""

    def __init__(self, app: ASGIApp, answer: bool = True) -> None:
        self.app, self.answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")[:_LONGEST] or secrets.token_hex(16).encode()
        request_id.set(given.decode("latin-1"))

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", given)]
            await send(message)

        await self.app(scope, receive, named if self.answer else send)
