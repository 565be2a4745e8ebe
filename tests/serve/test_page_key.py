"""The page of a server that asks for a key, in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.serve.conftest import api_of
from tests.serve.page_actions import ask

pytestmark = pytest.mark.integration
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def keyed(hand_folder: Path) -> Iterator[str]:
    """The address of such a server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWIGGLE_API_KEY", "s3cret/é")
        with api_of(hand_folder) as url:
            yield url


def test_the_page_asks_for_the_key(keyed: str, open_page: Open, problems: list[str]) -> None:
    page = open_page()
    page.goto(keyed)
    dialog = page.get_by_role("dialog", name="This server asks for a key")
    expect(dialog).to_be_visible()
    expect(page.locator("#key-wrong")).to_be_hidden()
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#key-wrong")).to_be_visible()
    page.get_by_label("API key").fill("s3cret/é")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator(".slider").first).to_be_visible(timeout=40_000)
    page.wait_for_function(
        "[...document.querySelectorAll('#samples img, .samples img')].some((i) => i.naturalWidth > 0)"
    )
    ask(page, "give it a pizza head")
    page.locator(".slider .open").first.click()
    page.wait_for_function("document.querySelector('#panel img')?.naturalWidth > 0")
    assert page.evaluate("document.cookie").startswith("swiggle_key=")
    problems[:] = [
        text for text in problems if "401" not in text and "WebSocket" not in text
    ]  # before the key was given


def test_who_cancels_is_told(keyed: str, open_page: Open, problems: list[str]) -> None:
    page = open_page()
    page.goto(keyed)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#toast")).to_contain_text("asks for an API key")
    problems[:] = [text for text in problems if "401" not in text and "WebSocket" not in text]
