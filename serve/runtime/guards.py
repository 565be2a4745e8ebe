"""Who may ask, and what is asked before a route is: host, origin, key, HEAD.

SWIGGLE_API_KEY         clients send it as a bearer token; without it only names of this machine are answered
SWIGGLE_CORS_ORIGINS    origins of other pages that may use the API, with commas between; none by default
"""

import os
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.routes.responses import SESSION_HEADER
from serve.runtime.limits import BearerAuth, LoopbackHost, SameOrigin

NAMES = ("SWIGGLE_API_KEY", "SWIGGLE_CORS_ORIGINS")


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are read here, of those that are set, for processes that do not see this one's environment."""
    return {name: environment[name] for name in NAMES if name in environment}


def add_guards(app: FastAPI) -> None:
    """Put them before the routes of an application, the last first."""
    key = os.environ.get("SWIGGLE_API_KEY")
    origins = [origin.strip() for origin in os.environ.get("SWIGGLE_CORS_ORIGINS", "").split(",") if origin.strip()]
    if key:
        app.add_middleware(BearerAuth, key=key)
    else:
        app.add_middleware(LoopbackHost)
    app.add_middleware(SameOrigin, loopback_only=not key, origins=origins)
    if origins:  # around the others, so that a page can read why it was refused
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST", "PUT"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=[SESSION_HEADER, "Retry-After", "X-Request-Id"],
        )
    app.add_middleware(HeadAsGet)


class HeadAsGet:
    """Answers HEAD wherever GET is answered: with its headers and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET"}, receive, without_body)
