"""The page with more features than one answer of the API holds, from a server and as an exported folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from serve.export import export
from swiggle.bundle import Bundle
from tests.serve.conftest import WIDE, api_of, elsewhere, files_of
from tests.serve.page_actions import find, visit

pytestmark = pytest.mark.integration
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def wide(wide_folder: Path) -> Iterator[str]:
    """The address of a server."""
    with api_of(wide_folder) as url:
        yield url


@pytest.fixture(scope="module")
def site(wide_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    out = tmp_path_factory.mktemp("export") / "site"
    elsewhere(lambda: export(Bundle.load(wide_folder), out))
    with files_of(out) as url:
        yield url


def all_of_it_works(page: Page) -> None:
    """The last feature is listed, on the map, found, opened and turned; and the lists hold only what is looked at."""
    last = WIDE - 1
    expect(page.locator("#list-title")).to_have_text(f"All {WIDE:,} features")
    assert page.locator("#list li").count() <= 61
    assert page.evaluate("document.documentElement.style.getPropertyValue('--sheet-rows')") == "65"
    counts = page.locator("#legend .count").all_inner_texts()
    assert sum(int(count.replace(",", "")) for count in counts) == WIDE
    find(page, "zeppelin")
    page.locator("#list .item").first.click()
    expect(page.locator("#panel-title")).to_contain_text("zeppelin")
    expect(page.locator("#panel .number").first).to_have_text(f"feature {last}")
    page.get_by_role("button", name="Use in editor").click()
    expect(page.locator(".slider .label").first).to_contain_text("zeppelin")


def test_the_page_of_a_server(wide: str, open_page: Open) -> None:
    page = open_page()
    visit(page, wide)
    all_of_it_works(page)
    page.get_by_role("button", name="Label features").click()
    expect(page.locator("#card-title")).to_be_visible()
    expect(page.locator(".label-bar p")).to_contain_text(" of ")


def test_the_page_of_an_exported_folder(site: str, open_page: Open) -> None:
    page = open_page()
    visit(page, site)
    all_of_it_works(page)


def test_a_feature_that_is_not_known_is_named_by_its_number(wide: str, open_page: Open) -> None:
    page = open_page()
    visit(page, wide)
    names = page.evaluate(
        "import('/static/features/catalogue.js')"
        ".then((c) => [c.nameOf(undefined), c.kindOf(undefined), c.isNamed(undefined)])"
    )
    assert names == ["unexplained", "unexplained", False]
