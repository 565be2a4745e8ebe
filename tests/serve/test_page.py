"""The page in a real browser against a real server: editing, the map, sharing."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.conftest import Server
from tests.serve.page_actions import ask, before, eventually, shared, shown, shows_its_plan, visit

pytestmark = pytest.mark.integration
Open = Callable[..., Page]

DRAG = """async ([steps, end]) => {
    const slider = document.querySelector('.slider input[type=range]');
    for (let i = 0; i <= steps; i += 1) {
        slider.value = Number(slider.min) + end * (i / steps) * (slider.max - slider.min);
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        await new Promise(requestAnimationFrame);
    }
    slider.dispatchEvent(new Event('change', { bubbles: true }));
}"""


def test_prompts_become_sliders_with_reasons(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    start = shown(page)
    np.testing.assert_array_equal(start, before(page))
    ask(page, "make it a shark")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("shark head put in")
    expect(page.locator(".slider .why").filter(has_text="means “shark head”").first).to_be_visible()
    shows_its_plan(server, page)
    assert (shown(page) != start).any()
    shark = shared(page)["plan"]

    ask(page, "give it round yellow glasses")
    expect(page.locator(".said li")).to_have_count(2)
    page.get_by_role("button", name="Take back “give it round yellow glasses”").click()
    expect(page.locator(".said li")).to_have_count(1)
    eventually(lambda: shared(page)["plan"] == shark)

    ask(page, "make it a flibbertigibbet quux")
    expect(answer).to_contain_text("Nothing matched")
    expect(answer.get_by_role("button", name="give it").first).to_be_visible()
    assert shared(page)["plan"] == shark
    ask(page, "please")
    expect(answer).to_contain_text("could not find a request")


def test_a_prompt_that_is_sent_while_another_waits_comes_after_it(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    for prompt in ("make it a shark", "remove the glasses"):
        ask(page, prompt)
    expect(page.locator(".said li")).to_have_text([re.compile("shark"), re.compile("glasses")])
    expect(page.get_by_label("What should change?")).to_have_value("")


def test_what_was_asked_follows_the_history_and_the_link(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    said = page.locator(".said li")
    ask(page, "make it a shark")
    expect(said).to_have_count(1)
    shark = shared(page)
    ask(page, "remove the glasses")
    expect(said).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_count(1)
    expect(page.locator("#answer")).to_contain_text("shark head put in")
    page.get_by_role("button", name="Redo").click()
    expect(said).to_have_count(2)

    ask(page, "remove the glasses")  # the same again changes nothing
    expect(page.locator("#answer")).to_contain_text("taken out")
    expect(said).to_have_count(2)
    ask(page, "without the glasses")  # they are gone already
    expect(page.locator("#answer")).to_contain_text("already so")
    expect(said).to_have_count(2)
    ask(page, "hat")  # what "without" said is not meant of it
    expect(page.locator("#answer")).to_contain_text("Nothing matched")
    expect(page.locator("#answer").get_by_role("button", name="give it").first).to_be_visible()

    other = open_page()
    visit(other, page.url)
    assert shared(other) == shared(page)
    expect(other.locator(".said li")).to_have_count(2)
    ask(other, "hat")  # asks for nothing from a link either
    expect(other.locator("#answer")).to_contain_text("Nothing matched")
    expect(other.locator(".said li")).to_have_count(2)
    other.get_by_role("button", name="Take back “remove the glasses”").click()
    expect(other.locator(".said li")).to_have_count(1)
    eventually(lambda: shared(other)["plan"] == shark["plan"])
    other.get_by_role("button", name="Reset all").click()
    expect(other.locator(".said li")).to_have_count(0)
    eventually(lambda: np.array_equal(shown(other), before(other)))
    # One half of a request that fails does not hold up the other.
    ask(other, "make it a shark, flibbertigibbet quux glasses")
    expect(other.locator("#answer")).to_contain_text("shark head put in")
    expect(other.locator("#answer")).to_contain_text("Nothing matched")
    expect(other.locator(".said li")).to_have_count(1)


def test_a_slider_moved_by_keys_is_one_step(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    slider = page.locator(".slider input[type=range]").first
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")
    expect(page.locator("#history li")).to_have_count(2)
    eventually(lambda: page.locator("#history canvas").count() == 2)
    page.get_by_role("button", name="Undo").click()
    eventually(lambda: shared(page)["plan"]["operations"] == [])


def test_what_has_the_focus_keeps_it_while_lists_change(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    row = page.locator(".slider").first
    off = row.get_by_role("button", name="Take out:")
    row.hover()  # which shows its buttons
    off.press("Enter")
    expect(row).to_have_class(re.compile("is-off"))
    expect(off).to_be_focused()
    page.keyboard.press("Control+z")  # every row is arranged anew
    expect(row).not_to_have_class(re.compile("is-off"))
    expect(off).to_be_focused()
    number = row.get_by_label("as a number")
    number.fill("1.5")
    number.press("Enter")
    expect(page.locator("#history li")).to_have_count(2)
    expect(number).to_be_focused()
    first = page.locator("#history button").first
    first.focus()
    first.press("Enter")
    expect(first).to_have_attribute("aria-current", "step")
    eventually(lambda: page.locator("#history canvas").count() == 2)
    expect(first).to_be_focused()
    head = page.locator("#legend button").filter(has_text="head")
    head.focus()
    head.press("Enter")
    expect(head).to_have_attribute("aria-pressed", "true")
    expect(head).to_be_focused()


def test_a_removal_sets_no_area_for_what_follows(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    ask(page, "remove the glasses")
    expect(page.locator(".said li")).to_have_count(1)
    area = page.get_by_role("button", name="Area")
    expect(area).to_have_attribute("aria-pressed", "false")
    area.click()
    expect(page.locator("#brush")).to_be_visible()
    page.get_by_role("button", name="Before", exact=True).click()
    expect(page.locator("#brush")).to_be_hidden()


def test_a_dragged_slider_never_leaves_an_old_frame(server: Server, open_page: Open) -> None:
    page = open_page()
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    visit(page, server.url)
    for steps, end in ((40, 1.0), (7, 0.4)):
        page.evaluate(DRAG, [steps, end])
        shows_its_plan(server, page)
    assert len(sockets) == 1
    moved = shown(page)
    page.get_by_role("button", name="Before", exact=True).click()
    np.testing.assert_array_equal(shown(page), before(page))
    page.get_by_role("button", name="Difference", exact=True).click()
    assert (shown(page) != moved).any()
    page.get_by_role("button", name="After", exact=True).click()

    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    eventually(lambda: shared(page)["plan"]["operations"] == [])
    eventually(lambda: np.array_equal(shown(page), before(page)))
    page.keyboard.press("Control+Shift+Z")
    page.keyboard.press("Control+Shift+Z")
    eventually(lambda: np.array_equal(shown(page), moved))
    page.locator("#history button").first.click()
    eventually(lambda: np.array_equal(shown(page), before(page)))


def test_without_a_socket_frames_come_by_post(server: Server, open_page: Open) -> None:
    page = open_page()

    def refuse(socket: WebSocketRoute) -> None:
        socket.close()

    page.route_web_socket("**/v1/steer/stream", refuse)
    visit(page, server.url)
    page.evaluate(DRAG, [15, 0.7])
    shows_its_plan(server, page)
    assert shared(page)["plan"]["operations"]


def test_take_out_solo_area_and_downloads(server: Server, open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    visit(page, server.url)
    row = page.locator(".slider").first
    row.hover()
    row.get_by_role("button", name="Take out:").click()
    eventually(lambda: [o["op"] for o in shared(page)["plan"]["operations"]] == ["ablate"])
    row.get_by_role("button", name="Back to the start:").click()
    eventually(lambda: shared(page)["plan"]["operations"] == [])
    row.get_by_role("button", name="Take out everything else:").click()
    active = page.locator(".slider").count()
    eventually(lambda: len(shared(page)["plan"]["operations"]) == active - 1)
    shows_its_plan(server, page)

    page.get_by_role("button", name="Area").click()
    brush = page.locator("#brush")
    box = brush.bounding_box()
    assert box is not None
    cell = box["width"] / 8
    page.mouse.move(box["x"] + 0.5 * cell, box["y"] + 0.5 * cell)
    page.mouse.down()
    page.mouse.move(box["x"] + 7.5 * cell, box["y"] + 0.5 * cell, steps=16)
    page.mouse.up()
    eventually(lambda: shared(page)["plan"]["operations"][0]["mask"] is not None)
    brush.focus()
    for key in ("ArrowDown", " "):  # the cursor stands on row 4, column 4
        page.keyboard.press(key)
    eventually(lambda: np.array(shared(page)["plan"]["operations"][0]["mask"]).sum() == 9)
    shows_its_plan(server, page)
    picture, original = shown(page), before(page)
    size = picture.shape[0] // 8
    outside = np.ones((8, 8), bool)
    outside[0, :], outside[4, 3] = False, False
    still = outside.repeat(size, 0).repeat(size, 1)
    np.testing.assert_array_equal(picture[still], original[still])
    page.get_by_role("button", name="Everywhere").click()
    eventually(lambda: shared(page)["plan"]["operations"][0]["mask"] is None)

    for name, button in (("plan.json", "Plan (JSON)"), ("swiggle.png", "Picture (PNG)")):
        page.get_by_text("Download", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan.pop("dictionary") == server.http.get("/v1/model").json()["dictionary"]
    assert plan == shared(page)["plan"]
    page.get_by_role("button", name="Reset all").click()
    eventually(lambda: shared(page)["plan"]["operations"] == [])


def test_from_the_map_to_a_feature_to_a_link_and_back(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    features = server.http.get("/v1/features?limit=2048").json()["features"]
    # One that stands alone on the map, so that a press on its place means it.
    places = np.array([(f["x"], f["y"]) for f in features])
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, 9)
    alone = int(np.argmax(np.where([f["dead"] or f["x"] > 0.9 for f in features], 0, distance.min(axis=1))))
    box = page.locator("#map").bounding_box()
    assert box is not None
    spot = [
        box[s] + 18 + places[alone][i] * (box[d] - 36) for i, (s, d) in enumerate((("x", "width"), ("y", "height")))
    ]
    page.mouse.move(*spot)
    expect(page.locator("#hover")).to_contain_text(f"#{alone}")
    page.mouse.click(*spot)
    panel = page.locator("#panel")
    expect(panel.locator(".panel-head .number")).to_have_text(f"feature {alone}")
    expect(panel.get_by_alt_text("The same pictures without this feature")).to_be_visible()
    expect(panel.locator("#strip button")).to_have_count(5)
    panel.get_by_role("button", name="Use in editor").click()
    slider = page.locator(f"#slider-{alone}")
    expect(slider).to_be_focused()
    slider.press("ArrowRight")
    eventually(lambda: [o["feature"] for o in shared(page)["plan"]["operations"]] == [alone])
    shows_its_plan(server, page)
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()

    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    other = open_page()
    visit(other, link)
    assert shared(other) == shared(page)
    expect(other.locator(f"#slider-{alone}")).to_have_value(slider.input_value())
    eventually(lambda: np.array_equal(shown(other), shown(page)))
    other.goto("about:blank")  # a page that is open would clear the address before it is loaded again
    other.goto(f"{server.url}/#edit=damaged")
    expect(other.locator("#toast")).to_contain_text("damaged")
    expect(other.locator(".slider").first).to_be_visible()


def test_search_legend_lasso_and_the_list_by_keyboard(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    total = server.http.get("/v1/features?limit=1").json()["total"]
    expect(page.locator("#list-title")).to_contain_text(f"{total:,}")
    page.keyboard.press("/")
    page.keyboard.type("red")  # which is like other colours, so several are listed
    expect(page.locator("#list-title")).to_contain_text("“red”")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#list .item").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_contain_text("red body")
    page.get_by_label("Find features by meaning").fill("shark")  # a search closes what lies over its list
    expect(page.locator("#panel")).to_be_hidden()
    page.get_by_label("Find features by meaning").fill("pizza")
    expect(page.locator("#list-title")).to_contain_text("“pizza”")
    page.locator("#list .item").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_contain_text("pizza")
    page.keyboard.press("Escape")
    expect(page.locator("#list .item").first).to_be_focused()
    page.locator("#list .plus").first.click()
    eventually(lambda: len(shared(page)["plan"]["operations"]) == 1)
    page.get_by_role("button", name="Clear").click()

    head = page.locator("#legend button").filter(has_text="head")
    head.click()
    expect(head).to_have_attribute("aria-pressed", "true")
    listed = server.http.get("/v1/features?limit=2048").json()["features"]
    heads = sum(f["acts_on"] == "head" and f["source"] != "unexplained" for f in listed)
    expect(page.locator("#list-title")).to_have_text(f"{heads:,} features")
    head.click()
    for colouring in ("confidence", "density", "here"):
        page.get_by_label("Colour by").select_option(colouring)
    expect(page.locator("#legend")).to_contain_text("not here")

    page.get_by_role("button", name="Lasso").click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    corners = [(0.02, 0.02), (0.85, 0.02), (0.85, 0.98), (0.02, 0.98), (0.02, 0.02)]
    for number, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if number == 0:
            page.mouse.down()
    page.mouse.up()
    expect(page.locator("#list-title")).to_contain_text("in the lasso")
    page.locator("#map").focus()
    for key in ("+", "+", "+", "ArrowLeft", "-", "0"):
        page.keyboard.press(key)
