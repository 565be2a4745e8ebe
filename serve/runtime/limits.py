"""Middleware: a bound on request bodies, bearer authentication, and who may open a WebSocket."""

import base64
import ipaddress
import json
import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.runtime.api_errors import error_body

MAX_BODY = 36 * 1024 * 1024
"""A picture of 25 MiB in base64, and room for a plan."""


PROTOCOL = "swiggle"
"""The WebSocket subprotocol that the server agrees to when it is offered."""
KEY_PROTOCOL = "bearer."
"""What precedes an API key that is offered as a subprotocol."""
KEY_COOKIE = "swiggle_key"


class BodyTooLarge(Exception):
    pass


async def _answer(
    send: Send, status: int, body: dict, headers: list[tuple[bytes, bytes]] | None = None, kind: str = "http.response"
) -> None:
    content = json.dumps(body).encode()
    listed = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode()), *(headers or [])]
    await send({"type": f"{kind}.start", "status": status, "headers": listed})
    await send({"type": f"{kind}.body", "body": content})


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
            if seen > MAX_BODY and not started:  # FastAPI takes a body that cannot be read for one that is malformed
                raise BodyTooLarge
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
    """Asks for `Authorization: Bearer <key>` on everything below /v1.

    A browser's WebSocket cannot set headers, so there the key may be offered as a subprotocol, in base64url without
    padding: `new WebSocket(url, ["swiggle", "bearer." + key64])`. The page, whose pictures cannot either, sends it so
    as the cookie `swiggle_key`, which browsers keep from requests that other sites make (SameSite).
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self.app = app
        self.expected = f"Bearer {key}".encode()
        self.protocol = KEY_PROTOCOL + base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and scope["path"].startswith("/v1") and not self._allowed(scope):
            body = error_body(401, "invalid_api_key", "send Authorization: Bearer <key>")
            await refuse(scope, send, 401, body, [(b"www-authenticate", b"Bearer")])
            return
        await self.app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        if secrets.compare_digest(headers.get(b"authorization", b""), self.expected):
            return True
        cookie = cookie_parser(headers.get(b"cookie", b"").decode("latin-1")).get(KEY_COOKIE, "")
        if secrets.compare_digest((KEY_PROTOCOL + cookie).encode(), self.protocol.encode()):
            return True
        offered = [p for p in scope.get("subprotocols", ()) if p.startswith(KEY_PROTOCOL)]
        return any(secrets.compare_digest(p.encode(), self.protocol.encode()) for p in offered)


class LoopbackHost:
    """Answers only requests to a name of this machine: a page of another site can make its own name resolve to
    loopback, and would then read and change everything. /healthz tells nothing and is asked by address."""

    # Not Starlette's TrustedHostMiddleware: it takes a list of names, where every address of 127.0.0.0/8 is allowed
    # here; it asks the same of /healthz; and it answers 400 in plain text, not in the form of the API's errors.
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/healthz" and not is_loopback(_host(dict(scope["headers"]))):
            message = "without an API key this server answers to names of its own machine only, such as localhost"
            await refuse(scope, send, 403, error_body(403, "forbidden_host", message))
            return
        await self.app(scope, receive, send)


class SameOrigin:
    """Refuses a WebSocket that a page of another site opens: browsers let any page open one to any address.

    The page's origin must be the host that was asked for, or one of `origins`. Without an API key that host must be a
    name of this machine too, since a foreign site can make its own name resolve to loopback.
    """

    def __init__(self, app: ASGIApp, loopback_only: bool, origins: Sequence[str] = ()) -> None:
        self.app = app
        self.loopback_only = loopback_only
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self._allowed(dict(scope["headers"])):
            message = "a page of another site may not open this WebSocket"
            await refuse(scope, send, 403, error_body(403, "forbidden_origin", message))
            return
        await self.app(scope, receive, send)

    def _allowed(self, headers: dict[bytes, bytes]) -> bool:
        if (origin := headers.get(b"origin")) is None:
            return True  # not a browser
        try:
            named = urlsplit(origin.decode()).netloc.lower()
            own = named == urlsplit(f"//{headers.get(b'host', b'').decode()}").netloc.lower() != ""
        except ValueError:
            return False
        allowed = own or origin.decode() in self.origins
        return allowed and (not self.loopback_only or is_loopback(_host(headers)))


def _host(headers: dict[bytes, bytes]) -> str:
    """The name that was asked for, without the port; empty for none and for what is no host."""
    try:
        asked = urlsplit(f"//{headers.get(b'host', b'').decode()}")
        return "" if "@" in asked.netloc or asked.port == 0 else asked.hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def refuse(
    scope: Scope, send: Send, status: int, body: dict, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Answer a request, or a WebSocket before it is accepted, with an error."""
    if scope["type"] == "http":
        await _answer(send, status, body, headers)
    elif "websocket.http.response" in scope.get("extensions", {}):
        await _answer(send, status, body, headers, "websocket.http.response")
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": body["error"]["code"]})
