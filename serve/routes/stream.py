"""The WebSocket of a moving slider: plans in, PNG frames out, and no frame that is out of date already.

    -> {"id": 7, "session": "…", "plan": {…}}      or "image" in place of "session"
    <- {"id": 7, "session": "…"}                   text, then the picture as one binary frame
    <- {"id": 7, "error": {…}}                     text alone; the socket stays open

While a frame is worked out only the newest message waits; it takes the place of one that waited before it, which gets
no answer. Answers come in the order of the messages.
"""

import asyncio
import json
import logging

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from serve.parts.engine import Engine
from serve.parts.pictures import to_png
from serve.routes import schemas
from serve.runtime.api_errors import ApiError, error_body, first_problem
from serve.runtime.limits import PROTOCOL

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message. Ray Serve's HTTP server closes the socket (1009) after so many, which cannot be set; what another
server lets pass beyond them is refused here."""
log = logging.getLogger("ray.serve.swiggle")


class Newest:
    """A place for one message, in which a newer one replaces what waits."""

    def __init__(self) -> None:
        self._message: str | None = None
        self._there = asyncio.Event()

    def put(self, message: str) -> None:
        self._message = message
        self._there.set()

    async def take(self) -> str:
        await self._there.wait()
        self._there.clear()
        assert self._message is not None
        message, self._message = self._message, None
        return message


def add_stream_route(app: FastAPI, engine: Engine) -> None:
    @app.websocket("/v1/steer/stream")
    async def stream(socket: WebSocket) -> None:
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope.get("subprotocols", ()) else None)
        newest = Newest()
        answering = asyncio.create_task(_answer_all(socket, newest, engine))
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                newest.put(message.get("text") or "")
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


async def _answer_all(socket: WebSocket, newest: Newest, engine: Engine) -> None:
    try:
        while True:
            header, png = await _frame(await newest.take(), engine)
            await socket.send_text(json.dumps(header))
            if png is not None:
                await socket.send_bytes(png)
    except (WebSocketDisconnect, RuntimeError):
        return  # closed while a frame was sent; the reader sees it too


async def _frame(message: str, engine: Engine) -> tuple[dict, bytes | None]:
    """The header that answers a message, and its picture unless the header tells of an error."""
    name = None
    try:
        if len(message) > MAX_MESSAGE:
            hint = "send the picture to /v1/encode, and here the session that it answers"
            raise ApiError(413, "body_too_large", f"a message may have {MAX_MESSAGE} bytes at most; {hint}")
        request = schemas.StreamRequest.model_validate_json(message)
        name = request.id
        session = await engine.session(request.image, request.session)
        return {"id": name, "session": session.id}, to_png(await engine.steer(session, request.plan))
    except ValidationError as error:
        where, text = first_problem(error.errors())
        return {"id": _id_of(message), **error_body(422, "invalid_request", text, where)}, None
    except ApiError as error:
        return {"id": name, **error_body(error.status, error.code, error.message, error.param)}, None
    except Exception as error:
        log.error("a frame failed: %r", error)
        return {"id": name, **error_body(500, "internal_error", "the server failed to answer; this is a bug")}, None


def _id_of(message: str) -> int | str | None:
    """The id of a message that is refused, where it can be read."""
    try:
        return schemas.StreamId.model_validate_json(message).id
    except ValidationError:
        return None
