"""Requests of a client, as the arguments of `httpx.Client.request`; one function a route."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from swiggle.client.answers import ServerError
from swiggle.data.pixels import encode_png
from swiggle.editing.plan import EditPlan

Picture = np.ndarray | bytes | Path | str
"""uint8 [S, S, 3], the bytes of an image file, its path, or, as a text, a session."""
Request = dict[str, Any]
PAGE = 2048
"""Features that one answer of a server holds at most."""

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a WebSocket message, after more than which servers close the socket."""


def headers(api_key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def named(picture: Picture) -> dict[str, str]:
    """How a request names a picture."""
    if isinstance(picture, str):
        return {"session": picture}
    if isinstance(picture, Path):
        picture = picture.read_bytes()
    content = encode_png(picture) if isinstance(picture, np.ndarray) else picture
    return {"image": base64.b64encode(content).decode()}


def plan_body(plan: EditPlan | Mapping[str, Any]) -> dict[str, Any]:
    return plan.model_dump(by_alias=True) if isinstance(plan, EditPlan) else dict(plan)


def edit(picture: Picture, prompt: str, strength: float) -> Request:
    return _post("/v1/edits", {**named(picture), "prompt": prompt, "strength": strength})


def steer(picture: Picture, plan: EditPlan | Mapping[str, Any]) -> Request:
    return _post("/v1/steer", {**named(picture), "plan": plan_body(plan), "format": "png"})


def encode(picture: Picture, limit: int) -> Request:
    return _post("/v1/encode", {**named(picture), "limit": limit})


def frame(number: int, picture: Picture, plan: EditPlan | Mapping[str, Any]) -> str:
    """A message on the WebSocket. Raises `ServerError` 413 for one that the server would not read."""
    message = json.dumps({"id": number, **named(picture), "plan": plan_body(plan)})
    if len(message) > MAX_MESSAGE:
        reason = f"a message may have {MAX_MESSAGE} bytes at most; encode() the picture, and name its session here"
        raise ServerError(413, "body_too_large", reason, "image")
    return message


def sample(index: int) -> Request:
    return {"method": "GET", "url": f"/v1/samples/{index}.png"}


def model() -> Request:
    return {"method": "GET", "url": "/v1/model"}


def features(limit: int, offset: int) -> Request:
    return {"method": "GET", "url": "/v1/features", "params": {"limit": limit, "offset": offset}}


def search(query: str, limit: int) -> Request:
    return {"method": "GET", "url": "/v1/features/search", "params": {"query": query, "limit": limit}}


def label(feature: int, text: str | None) -> Request:
    return {"method": "PUT", "url": f"/v1/features/{feature}/label", "json": {"label": text}}


def _post(url: str, body: dict[str, Any]) -> Request:
    return {"method": "POST", "url": url, "json": body}
