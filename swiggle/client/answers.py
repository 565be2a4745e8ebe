"""What a server answers, as Python values. Fields that a newer server adds are ignored."""

import base64
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from pydantic import BaseModel, ConfigDict

from swiggle.data.pixels import decode_picture
from swiggle.editing.plan import EditPlan
from swiggle.errors import SwiggleError


class ActiveFeature(BaseModel):
    """A feature of a picture; `strength` is in units of its mean activation where active."""

    id: int
    label: str
    activation: float
    strength: float


class Feature(BaseModel):
    """A feature of the dictionary; `score`, of a search, is the cosine similarity of words and label."""

    id: int
    label: str
    source: str
    confidence: float
    density: float
    dead: bool
    place: str | None = None
    acts_on: str | None = None
    score: float | None = None


class Encoded(BaseModel):
    session: str
    features: list[ActiveFeature]
    active: int


class Edit(BaseModel):
    """An edited picture uint8 [128, 128, 3], the plan that made it, and a session for the picture it was made from."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    picture: np.ndarray
    plan: EditPlan
    session: str
    labels: dict[int, str]
    reasons: list[dict[str, Any]]
    features_before: list[ActiveFeature]
    features_after: list[ActiveFeature]
    timing: dict[str, float]


@dataclass
class ServerError(SwiggleError):
    """An error as the server tells it. `retry_after` is in seconds, where it asks to be tried again."""

    status: int
    code: str
    message: str
    param: str | None = None
    request_id: str | None = None
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message} (request {self.request_id})"


def checked(response: httpx.Response) -> httpx.Response:
    """The response. Raises `ServerError` where it is none of success."""
    if response.is_success:
        return response
    try:
        told = response.json()["error"]
        code, message, param = told["code"], told["message"], told["param"]
    except (ValueError, KeyError, TypeError):  # something before the server answered
        code, message, param = "http_error", response.reason_phrase, None
    after = response.headers.get("retry-after", "")
    raise ServerError(
        response.status_code,
        code,
        message,
        param,
        response.headers.get("x-request-id"),
        float(after) if after.isdigit() else None,
    )


def as_edit(response: httpx.Response) -> Edit:
    answer = checked(response).json()
    return Edit(picture=decode_picture(base64.b64decode(answer.pop("image"))), **answer)


def as_picture(response: httpx.Response) -> np.ndarray:
    return decode_picture(checked(response).content)
