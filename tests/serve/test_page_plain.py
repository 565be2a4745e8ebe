"""The page on a bundle of pictures that nobody has said anything about: no captions, no places, no labels."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.hand_bundle import SHARK, hand_bundle
from tests.serve.conftest import api_of, elsewhere
from tests.serve.page_actions import ask, find, shared, visit

pytestmark = pytest.mark.integration
Open = Callable[..., Page]
NEEDS_LABELS = re.compile("needs labels")


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[str]:
    folder = elsewhere(lambda: hand_bundle(tmp_path / "plain", captioned=False))
    with api_of(folder) as url:
        yield url


@pytest.mark.parametrize("width", [1440, 390])
def test_it_speaks_of_pictures_and_says_what_prompts_need(plain: str, open_page: Open, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 844})
    visit(page, plain)
    expect(page.get_by_text(NEEDS_LABELS)).to_be_visible()
    expect(page.get_by_text("In this picture, most active first")).to_be_visible()
    assert "character" not in page.content()
    ask(page, "make it a shark")
    expect(page.locator("#answer")).to_contain_text("No feature has a label yet")
    find(page, "shark")
    expect(page.locator("#list")).to_contain_text("No feature has a label yet")
    # The map has groups and no places.
    expect(page.locator("#colour option[value=place]")).to_have_count(0)
    expect(page.locator("#legend")).to_contain_text("mixed")


def test_a_label_by_hand_can_be_asked_for_at_once(plain: str, open_page: Open) -> None:
    page = open_page()
    visit(page, plain)
    page.locator(f"#item-{SHARK}").click()
    page.get_by_label("Label", exact=True).fill("shark")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(NEEDS_LABELS)).to_be_hidden()
    # Said as a person would: no place is known that a shark could be given to.
    expect(page.locator("#answer").get_by_role("button", name="shark", exact=True)).to_be_visible()
    ask(page, "make it a shark")
    expect(page.locator("#answer")).to_contain_text("shark put in")
    assert any(operation["feature"] == SHARK for operation in shared(page)["plan"]["operations"])
