"""The smoke run's engine, and a browser for the tests of the page: one a file, a fresh profile for each test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from serve.parts.engine import Engine
from serve.parts.in_process import engine_in_process
from swiggle.bundle import Bundle

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def engine(hand_folder: Path) -> Engine:
    return engine_in_process(Bundle.load(hand_folder))


@pytest.fixture(scope="module")  # while it is there, no other test of this thread can run an event loop
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on the PATH: the tests of the page need one")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        expect.set_options(timeout=20_000)  # for machines that do much else; nothing waits longer than it must
        yield running
        running.close()


@pytest.fixture
def problems() -> list[str]:
    """What the console complained of; must be empty in the end. A test may take out what it provoked itself."""
    return []


@pytest.fixture
def open_page(browser: Browser, problems: list[str]) -> Iterator[Callable[..., Page]]:
    """Opens pages; arguments are those of `Browser.new_context`."""
    contexts = []

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    def opened(**options: Any) -> Page:
        settings = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | options
        context = browser.new_context(**settings)
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", complain)
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
