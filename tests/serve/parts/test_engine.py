"""Hand labels as the Gateway knows them, and what it remembers of prompts until they change."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from serve.parts import engine as module
from serve.parts import in_process
from serve.parts.engine import Engine
from swiggle.atlas.hand_labels import HandLabels
from swiggle.prompts.clauses import read_clauses


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


@pytest.mark.parametrize(("reader", "asked"), [(read_clauses, 1), (lambda prompt: [], 2)])
def test_what_a_language_model_read_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], list], asked: int
) -> None:
    monkeypatch.setattr(in_process, "reader_from_environment", lambda: reader)
    bundle: Any = SimpleNamespace(
        manifest={"files": {}}, vae=SimpleNamespace(latent_shape=(4, 8, 8)), atlas=None, image_size=32
    )
    retrieval = Retrieval()
    retrieval.answers.set()
    engine = in_process.make_engine(bundle, encoder=None, sparse=None, steering=None, retrieval=retrieval)

    async def check() -> None:
        for _ in range(2):
            assert await engine._understand("make it a shark") == ["make it a shark"]

    asyncio.run(check())
    assert len(retrieval.asked) == asked
