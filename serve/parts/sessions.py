"""Pictures that a client may refer to again, so that a slider sends a plan and no picture.

A session id is the picture's latent itself: 8 bytes that name the VAE, then float32 values, in base64url. So nothing is
kept: every replica answers every session, none is lost with a replica or in an update, and no cache fills up. Under
another VAE a session means nothing and has expired.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from serve.runtime.api_errors import ApiError

_MARK = 8
_LARGEST = 1e4
"""Latents are of the order of 1; beyond this a session was made up."""


@dataclass(frozen=True)
class Session:
    """`latent` float32 [C, h, w]."""

    id: str
    latent: np.ndarray


class Sessions:
    """Session ids of one VAE, known by the hashes of its files, with latents [C, h, w]."""

    def __init__(self, vae: Mapping[str, str], shape: tuple[int, ...]) -> None:
        self._mark = hashlib.sha256(json.dumps(vae, sort_keys=True).encode()).digest()[:_MARK]
        self._shape = shape
        self._length = _MARK + 4 * int(np.prod(shape))
        self._longest = 4 * -(-self._length // 3)

    def open(self, latent: np.ndarray) -> Session:
        content = self._mark + latent.astype("<f4").tobytes()
        return Session(base64.urlsafe_b64encode(content).decode(), latent)

    def get(self, key: str) -> Session:
        """Raises `ApiError` 404 `session_expired` for an id that this VAE has not given."""
        try:
            content = base64.b64decode(key, b"-_", validate=True) if len(key) <= self._longest else b""
        except (binascii.Error, ValueError):
            content = b""
        if content[:_MARK] == self._mark and len(content) == self._length:
            latent = np.frombuffer(content, "<f4", offset=_MARK).reshape(self._shape)
            if (np.abs(latent) < _LARGEST).all():  # not so for NaN
                return Session(key, latent.astype(np.float32))
        raise ApiError(404, "session_expired", "this session is unknown or expired; send the picture again", "session")

    def names(self, text: str) -> bool:
        """Whether a text that may be a picture or a session is meant as a session."""
        return len(text) < 64 or base64.urlsafe_b64encode(self._mark).decode()[:10] == text[:10]
