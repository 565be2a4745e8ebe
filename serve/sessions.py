"""Pictures that a client may refer to again, so that a slider sends a plan and no picture."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from serve.errors import ApiError


@dataclass(frozen=True)
class Session:
    """`latent` is what the encoder's handle answered, to be passed on to other parts; `activations` float32
    [features]."""

    id: str
    latent: Any
    activations: np.ndarray


class Sessions:
    """The most recently used sessions of one Gateway; the oldest make room."""

    def __init__(self, capacity: int = 512) -> None:
        self._capacity = capacity
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def open(self, latent: Any, activations: np.ndarray) -> Session:
        session = Session(secrets.token_urlsafe(16), latent, activations)
        self._sessions[session.id] = session
        if len(self._sessions) > self._capacity:
            self._sessions.popitem(last=False)
        return session

    def get(self, key: str) -> Session:
        """Raises `ApiError` 404 `session_expired` for an id that is unknown or was dropped."""
        session = self._sessions.get(key)
        if session is None:
            raise ApiError(
                404, "session_expired", "this session is unknown or expired; send the picture again", "session"
            )
        self._sessions.move_to_end(key)
        return session
