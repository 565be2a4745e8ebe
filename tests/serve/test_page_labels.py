"""The page in a real browser: labels that two people write, links and pages of another dictionary."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests.conftest import Server
from tests.serve.page_actions import ask, before, eventually, shared, shown, visit

pytestmark = pytest.mark.integration
Open = Callable[..., Page]
OTHER = "0" * 16
LINK = """async ({ dictionary }) => {
    const { toFragment, fromFragment } = await import('/static/editor/share.js');
    const edit = await fromFragment(location.hash);
    const { plan, asked } = edit;
    return toFragment({ picture: { source: edit.source }, plan, asked, area: null, dictionary });
}"""


def test_a_link_of_another_dictionary_opens_the_picture_alone(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, f"{server.url}/")
    ask(page, "make it a shark")
    eventually(lambda: len(shared(page)["plan"]["operations"]) > 1)
    own = server.http.get("/v1/model").json()["dictionary"]
    # Where none is given, it is not written: a link of before links named their dictionary.
    links = [page.evaluate(LINK, given) for given in ({"dictionary": own}, {"dictionary": OTHER}, {})]
    assert page.url.endswith(links[0])

    foreign = open_page()
    visit(foreign, f"{server.url}/{links[1]}")
    expect(foreign.locator("#toast")).to_contain_text("another dictionary")
    assert shared(foreign)["plan"]["operations"] == []
    assert shared(foreign)["source"] == shared(page)["source"]
    eventually(lambda: np.array_equal(shown(foreign), before(foreign)))
    expect(foreign.locator(".said li")).to_have_count(0)

    nameless = open_page()  # a link of before
    visit(nameless, f"{server.url}/{links[2]}")
    eventually(lambda: shared(nameless)["plan"] == shared(page)["plan"])
    expect(nameless.locator(".said li")).to_have_count(1)


def test_the_label_of_another_person_is_shown_and_not_overwritten(
    server: Server, open_page: Open, problems: list[str]
) -> None:
    page = open_page()
    visit(page, server.url)
    feature = int(page.locator(".slider").first.get_attribute("data-feature") or "")
    page.locator(".slider .open").first.click()
    expect(page.get_by_label("Label", exact=True)).to_be_visible()
    server.http.put(f"/v1/features/{feature}/label", json={"label": "of somebody else"})
    page.get_by_label("Label", exact=True).fill("of mine")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toast")).to_contain_text("of somebody else")
    expect(page.get_by_label("Label", exact=True)).to_have_value("of somebody else")
    assert server.http.get("/v1/labels").json()["labels"][str(feature)] == "of somebody else"
    page.get_by_label("Label", exact=True).fill("of mine")  # seen now, so it may be replaced
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#panel-title")).to_contain_text("of mine")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#panel .source")).not_to_have_text("written by hand")
    problems[:] = [problem for problem in problems if "409" not in problem]


def test_a_conflict_while_labelling_shows_the_others_label(
    server: Server, open_page: Open, problems: list[str]
) -> None:
    page = open_page()
    visit(page, server.url)
    page.get_by_role("button", name="Label features").click()
    number = page.locator("#card-title .number")
    expect(number).to_be_visible()
    feature = int(number.inner_text().split()[1])
    server.http.put(f"/v1/features/{feature}/label", json={"label": "of somebody else"})
    page.keyboard.press("e")
    page.keyboard.type("of mine")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("of somebody else")
    expect(page.locator("#new-label")).to_have_value("of somebody else")
    assert server.http.get(f"/v1/features/{feature}").json()["label"] == "of somebody else"
    server.http.put(f"/v1/features/{feature}/label", json={"label": None})
    problems[:] = [problem for problem in problems if "409" not in problem]


def test_a_label_file_of_another_dictionary_is_refused(
    server: Server, open_page: Open, tmp_path: Path, problems: list[str]
) -> None:
    page = open_page()
    visit(page, server.url)
    page.get_by_role("button", name="Label features").click()
    file = tmp_path / "labels.json"
    file.write_text(json.dumps({"labels": {"5": "x"}, "dictionary": OTHER}))
    page.get_by_label("Labels to import").set_input_files(file)
    expect(page.locator("#toast")).to_contain_text("another dictionary")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    download.value.save_as(file)
    assert json.loads(file.read_text())["dictionary"] == server.http.get("/v1/model").json()["dictionary"]
    problems[:] = [problem for problem in problems if "422" not in problem]


def test_a_page_of_before_an_update_changes_nothing_of_another_dictionary(
    server: Server, open_page: Open, problems: list[str]
) -> None:
    page = open_page()

    def of_before(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(json=answer.json() | {"dictionary": OTHER})

    page.route("**/v1/model", of_before)
    page.goto(server.url)
    expect(page.locator("#toast")).to_contain_text("dictionary")
    page.unroute_all(behavior="wait")
    problems[:] = [problem for problem in problems if "422" not in problem]
