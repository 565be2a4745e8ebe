"""Answers that are pictures, and JSON without a second look at it."""

from typing import Any

import numpy as np
from fastapi import Response
from pydantic import BaseModel

from serve.parts.pictures import to_png

PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}


SESSION_HEADER = "X-Swiggle-Session"
_LONGEST_HEADER = 4096
"""Characters of a session that a header may hold; proxies refuse answers whose headers exceed 8 to 16 KB."""


def session_header(session: str) -> dict[str, str]:
    """The session of a picture that was answered as a PNG; nothing where it is too long for a header."""
    return {SESSION_HEADER: session} if len(session) <= _LONGEST_HEADER else {}


def png_response(picture: np.ndarray, headers: dict[str, str] | None = None) -> Response:
    return Response(to_png(picture), media_type="image/png", headers=headers)


def json_response(answer: BaseModel) -> Response:
    """What FastAPI would make of a model, which it would check and take apart again first."""
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
