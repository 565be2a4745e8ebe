"""Middleware: a bound on request bodies, and bearer authentication."""

import json
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.errors import error_body

MAX_BODY = 6 * 1024 * 1024
"""A picture of 4 MiB in base64, and room for a plan."""


class BodyTooLarge(Exception):
    pass


async def _answer(send: Send, status: int, body: dict, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    content = json.dumps(body).encode()
    listed = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": content})


class BodyLimit:
    """Answers 413 to a body over `MAX_BODY`, before it is all read, whatever its Content-Length says."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                raise BodyTooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            if length.isdigit() and int(length) > MAX_BODY:
                raise BodyTooLarge
            await self.app(scope, counted, watched)
        except BodyTooLarge:
            if not started:
                message = f"a request body may have {MAX_BODY} bytes at most"
                await _answer(send, 413, error_body(413, "body_too_large", message))


class BearerAuth:
    """Asks for `Authorization: Bearer <key>` on everything below /v1."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self.app = app
        self.expected = f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1"):
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not secrets.compare_digest(given, self.expected):
                body = error_body(401, "invalid_api_key", "send Authorization: Bearer <key>")
                await _answer(send, 401, body, [(b"www-authenticate", b"Bearer")])
                return
        await self.app(scope, receive, send)
