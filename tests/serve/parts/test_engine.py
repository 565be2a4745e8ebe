"""Hand labels as the Gateway knows them, and what it remembers of prompts until they change."""

import asyncio
from typing import Any

import pytest

from serve.parts import engine as module
from serve.parts.engine import Engine
from swiggle.atlas.hand_labels import HandLabels


class Retrieval:
    """A handle that answers `by_hand` once it `answers`, and what it was asked as what a prompt means."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.by_hand = HandLabels()
        self.asked: list[str] = []
        self.labels = self.understand = self

    async def remote(self, *arguments: Any) -> Any:
        if arguments:
            self.asked.append(arguments[0])
            return [arguments[0]]
        await self.answers.wait()
        return self.by_hand


def test_labels_that_another_gateway_wrote_change_what_prompts_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LABELS_FOR_SECONDS", -1.0)
    monkeypatch.setattr(module, "_WAIT_FOR_LABELS", 0.01)

    async def check() -> None:
        nothing: Any = None
        retrieval = Retrieval()
        engine = Engine(nothing, {}, 32, nothing, nothing, nothing, nothing, retrieval, nothing)
        retrieval.answers.set()
        for _ in range(2):
            assert await engine._understand("make it a shark") == ["make it a shark"]
        assert len(retrieval.asked) == 1
        retrieval.answers.clear()  # its replica died: what is known serves
        retrieval.by_hand = HandLabels().changed({3: "shark"})
        assert await engine.by_hand() == {}
        await engine._understand("make it a shark")
        assert len(retrieval.asked) == 1
        retrieval.answers.set()
        while await engine.by_hand() != {3: "shark"}:
            pass
        await engine._understand("make it a shark")
        assert len(retrieval.asked) == 2

    asyncio.run(check())
