"""The client for asyncio."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from swiggle.client import requests
from swiggle.client.answers import Edit, Encoded, Feature, ServerError, as_edit, as_picture, checked
from swiggle.client.requests import Picture
from swiggle.data.pixels import decode_picture
from swiggle.editing.plan import EditPlan

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


class AsyncClient:
    """Keeps connections open between calls; use it in a `async with` block, or close it. `timeout` in seconds."""

    def __init__(self, url: str, api_key: str | None = None, timeout: float = 60.0) -> None:
        self._url, self._headers = url.rstrip("/"), requests.headers(api_key)
        self._http = httpx.AsyncClient(base_url=self._url, headers=self._headers, timeout=timeout)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def edit(self, picture: Picture, prompt: str, strength: float = 1.0) -> Edit:
        """Edit a picture in words; `strength` multiplies what the plan raises."""
        return as_edit(await self._http.request(**requests.edit(picture, prompt, strength)))

    async def steer(self, picture: Picture, plan: EditPlan | Mapping[str, Any]) -> np.ndarray:
        """A plan applied to a picture: uint8 [128, 128, 3]."""
        return as_picture(await self._http.request(**requests.steer(picture, plan)))

    async def encode(self, picture: Picture, limit: int = 64) -> Encoded:
        """The active features of a picture, strongest first, and a session for it."""
        return Encoded(**checked(await self._http.request(**requests.encode(picture, limit))).json())

    async def sample(self, index: int) -> np.ndarray:
        """A held-out picture to start from, uint8 [128, 128, 3]."""
        return as_picture(await self._http.request(**requests.sample(index)))

    async def model(self) -> dict[str, Any]:
        """The bundle's settings, metrics and hashes."""
        return checked(await self._http.request(**requests.model())).json()

    async def features(self, limit: int | None = None, offset: int = 0) -> list[Feature]:
        """The dictionary's features, by number: all, or at most `limit` from `offset` on."""
        found: list[Feature] = []
        while limit is None or len(found) < limit:
            page = requests.PAGE if limit is None else min(requests.PAGE, limit - len(found))
            asked = requests.features(page, offset + len(found))
            answer = checked(await self._http.request(**asked)).json()
            found += [Feature(**row) for row in answer["features"]]
            if not answer["features"] or offset + len(found) >= answer["total"]:
                break
        return found

    async def search(self, query: str, limit: int = 20) -> list[Feature]:
        """Features by the meaning of their labels, best first."""
        rows = checked(await self._http.request(**requests.search(query, limit))).json()["features"]
        return [Feature(**row) for row in rows]

    async def label(self, feature: int, text: str | None) -> Feature:
        """Label a feature by hand; None takes the hand label back."""
        return Feature(**checked(await self._http.request(**requests.label(feature, text))).json())

    @asynccontextmanager
    async def stream(self) -> AsyncIterator["AsyncStream"]:
        """A WebSocket for plans that follow each other quickly. Needs the package websockets (swiggle[stream])."""
        from websockets.asyncio.client import connect

        address = f"ws{self._url.removeprefix('http')}/v1/steer/stream"
        async with connect(address, additional_headers=self._headers) as socket:
            yield AsyncStream(socket)


class AsyncStream:
    def __init__(self, socket: "ClientConnection") -> None:
        self._socket, self._last = socket, 0

    async def frame(self, picture: Picture, plan: EditPlan | Mapping[str, Any]) -> np.ndarray:
        """A plan applied to a picture: uint8 [128, 128, 3]. Raises `ServerError`."""
        self._last += 1
        message = requests.frame(self._last, picture, plan)
        await self._socket.send(message)
        header = json.loads(await self._socket.recv())
        if error := header.get("error"):
            status = 500 if error["type"] == "server_error" else 422
            raise ServerError(status, error["code"], error["message"], error["param"])
        frame = await self._socket.recv()
        assert isinstance(frame, bytes)
        return decode_picture(frame)
