"""The hand-made bundle's engine, a server without Ray, and a browser for the tests of the page: one a file, a fresh
profile for each test."""

import functools
import http.server
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from serve.parts.engine import Engine
from serve.parts.in_process import engine_in_process
from serve.routes.api import create_api
from swiggle.bundle import Bundle
from tests.conftest import free_port
from tests.wide_bundle import wide_bundle

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def engine(hand_folder: Path) -> Engine:
    return engine_in_process(Bundle.load(hand_folder))


def elsewhere(work: Callable[[], Any]) -> Any:
    """What `work` returns, done in another thread: this one may run the event loop of Playwright."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


WIDE = 4_100
"""Features of a dictionary that no answer of the API holds whole."""


@pytest.fixture(scope="session")
def wide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return elsewhere(lambda: wide_bundle(tmp_path_factory.mktemp("wide") / "bundle", WIDE))


@contextmanager
def api_of(folder: Path) -> Iterator[str]:
    """The address at which a bundle is served by a thread of this process: all that `python -m serve` answers, without
    Ray, which takes a quarter of a minute to start."""
    api = elsewhere(lambda: create_api(engine_in_process(Bundle.load(folder))))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(api, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def files_of(folder: Path) -> Iterator[str]:
    """The address at which a plain file server serves a folder."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


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
