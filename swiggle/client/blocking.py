"""The client that waits for its answers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from swiggle.client import requests
from swiggle.client.answers import Edit, Encoded, Feature, ServerError, as_edit, as_picture, checked
from swiggle.client.requests import Picture
from swiggle.data.pixels import decode_picture
from swiggle.editing.plan import EditPlan

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection


class Client:
    """Keeps connections open between calls; use it in a `with` block, or close it. `timeout` in seconds."""

    def __init__(self, url: str, api_key: str | None = None, timeout: float = 60.0) -> None:
        self._url, self._headers = url.rstrip("/"), requests.headers(api_key)
        self._http = httpx.Client(base_url=self._url, headers=self._headers, timeout=timeout)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def edit(self, picture: Picture, prompt: str, strength: float = 1.0) -> Edit:
        """Edit a picture in words; `strength` multiplies what the plan raises."""
        return as_edit(self._http.request(**requests.edit(picture, prompt, strength)))

    def steer(self, picture: Picture, plan: EditPlan | Mapping[str, Any]) -> np.ndarray:
        """A plan applied to a picture: uint8 [128, 128, 3]."""
        return as_picture(self._http.request(**requests.steer(picture, plan)))

    def encode(self, picture: Picture, limit: int = 64) -> Encoded:
        """The active features of a picture, strongest first, and a session for it."""
        return Encoded(**checked(self._http.request(**requests.encode(picture, limit))).json())

    def sample(self, index: int) -> np.ndarray:
        """A held-out picture to start from, uint8 [128, 128, 3]."""
        return as_picture(self._http.request(**requests.sample(index)))

    def model(self) -> dict[str, Any]:
        """The bundle's settings, metrics and hashes."""
        return checked(self._http.request(**requests.model())).json()

    def features(self, limit: int | None = None, offset: int = 0) -> list[Feature]:
        """The dictionary's features, by number: all, or at most `limit` from `offset` on."""
        found: list[Feature] = []
        while limit is None or len(found) < limit:
            page = requests.PAGE if limit is None else min(requests.PAGE, limit - len(found))
            asked = requests.features(page, offset + len(found))
            answer = checked(self._http.request(**asked)).json()
            found += [Feature(**row) for row in answer["features"]]
            if not answer["features"] or offset + len(found) >= answer["total"]:
                break
        return found

    def search(self, query: str, limit: int = 20) -> list[Feature]:
        """Features by the meaning of their labels, best first."""
        rows = checked(self._http.request(**requests.search(query, limit))).json()["features"]
        return [Feature(**row) for row in rows]

    def label(self, feature: int, text: str | None) -> Feature:
        """Label a feature by hand; None takes the hand label back."""
        return Feature(**checked(self._http.request(**requests.label(feature, text))).json())

    @contextmanager
    def stream(self) -> Iterator["Stream"]:
        """A WebSocket for plans that follow each other quickly. Needs the package websockets (swiggle[stream])."""
        from websockets.sync.client import connect

        address = f"ws{self._url.removeprefix('http')}/v1/steer/stream"
        with connect(address, additional_headers=self._headers) as socket:
            yield Stream(socket)


class Stream:
    def __init__(self, socket: "ClientConnection") -> None:
        self._socket, self._last = socket, 0

    def frame(self, picture: Picture, plan: EditPlan | Mapping[str, Any]) -> np.ndarray:
        """A plan applied to a picture: uint8 [128, 128, 3]. Raises `ServerError`."""
        self._last += 1
        message = requests.frame(self._last, picture, plan)
        self._socket.send(message)
        header = json.loads(self._socket.recv())
        if error := header.get("error"):
            status = 500 if error["type"] == "server_error" else 422
            raise ServerError(status, error["code"], error["message"], error["param"])
        frame = self._socket.recv()
        assert isinstance(frame, bytes)
        return decode_picture(frame)
