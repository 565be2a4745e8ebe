"""The page in a real browser: labels, uploads, a server that goes away and comes back, accessibility."""

import base64
import io
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, Route, expect

from swiggle.captions.vocabulary import tokenise
from swiggle.data.pixels import decode_picture, encode_png, resize
from tests.conftest import Server
from tests.serve.page_actions import ask, before, eventually, find, shared, shown, shows_its_plan, visit

pytestmark = pytest.mark.integration
Open = Callable[..., Page]


def take_back(server: Server, *features: int) -> None:
    for feature in features:
        server.http.put(f"/v1/features/{feature}/label", json={"label": None})


def test_a_label_is_saved_and_found_at_once(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    feature = int(page.locator(".slider").first.get_attribute("data-feature") or "")
    page.locator(".slider .open").first.click()
    page.get_by_label("Label", exact=True).fill("glowing lantern head")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#panel .source")).to_have_text("written by hand")
    expect(page.locator(f".slider[data-feature='{feature}'] .label")).to_have_text("glowing lantern head")
    find(page, "lantern")
    expect(page.locator("#list .item").first).to_contain_text("glowing lantern head")
    assert server.http.get("/v1/labels").json()["labels"] == {str(feature): "glowing lantern head"}
    page.locator("#list .item").first.click()
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#panel .source")).not_to_have_text("written by hand")
    assert server.http.get("/v1/labels").json()["labels"] == {}


def test_labelling_by_keyboard(server: Server, open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    visit(page, server.url)
    page.get_by_role("button", name="Label features").click()
    number = page.locator("#card-title .number")
    expect(number).to_be_visible()
    first = number.inner_text()
    page.keyboard.press("s")
    expect(number).not_to_have_text(first)
    second = number.inner_text()
    page.keyboard.press("e")
    page.keyboard.type("tiny moon")
    page.keyboard.press("Enter")
    expect(number).not_to_have_text(second)
    labelled = int(second.split()[1])
    assert server.http.get(f"/v1/features/{labelled}").json()["label"] == "tiny moon"
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / "labels.json"
    download.value.save_as(file)
    dictionary = server.http.get("/v1/model").json()["dictionary"]
    exported = json.loads(file.read_text())
    assert (exported["dictionary"], exported["labels"]) == (dictionary, {str(labelled): "tiny moon"})
    page.keyboard.press("z")
    expect(number).to_have_text(second)
    assert server.http.get("/v1/labels").json()["labels"] == {}
    page.keyboard.press("z")
    expect(number).to_have_text(first)
    page.get_by_label("Labels to import").set_input_files(file)
    expect(page.locator("#toast")).to_contain_text("1 label imported")
    expect(page.locator(".label-bar")).to_contain_text("1 of them by hand")
    file.write_text("[1, 2")
    page.get_by_label("Labels to import").set_input_files(file)
    expect(page.locator("#toast")).to_contain_text("not a file of labels")
    take_back(server, labelled)


def test_uploads_good_and_bad(server: Server, open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    visit(page, server.url)
    start = shown(page)
    for name, content in (("broken.png", b"\x89PNG\r\n\x1a\nrest"), ("notes.txt", b"hello")):
        (tmp_path / name).write_bytes(content)
        page.locator("#upload").set_input_files(tmp_path / name)
        expect(page.locator("#toast")).to_contain_text(f"“{name}” is not a picture")
    np.testing.assert_array_equal(shown(page), start)
    own = decode_picture(server.http.get("/v1/samples/5.png").content)
    (tmp_path / "own.png").write_bytes(encode_png(resize(own, 512)))
    page.locator("#upload").set_input_files(tmp_path / "own.png")
    eventually(lambda: "image" in shared(page)["source"])
    visit_url = page.url
    ask(page, "make it a pizza")
    expect(page.locator("#answer")).to_contain_text("pizza head")
    shows_its_plan(server, page)
    # The shrunken upload is the sample itself, so its reconstruction is the sample's.
    other = open_page()
    visit(other, server.url)
    other.get_by_role("button", name="Sample 6", exact=True).click()
    eventually(lambda: np.array_equal(before(other), before(page)))
    visit(other, visit_url)
    eventually(lambda: np.array_equal(shown(other), before(page)))
    # An icon is kept whole: its transparency reaches the server, which knows what it is to be laid on.
    wide = Image.new("RGBA", (256, 128))
    wide.paste((255, 0, 0, 255), (0, 0, 64, 128))
    wide.save(tmp_path / "icon.png")
    page.locator("#upload").set_input_files(tmp_path / "icon.png")
    eventually(lambda: shared(page)["source"].get("image", "") not in ("", shared(other)["source"]["image"]))
    sent = base64.b64decode(shared(page)["source"]["image"].partition(",")[2])
    with Image.open(io.BytesIO(sent)) as icon:
        opacity = np.asarray(icon.getchannel("A"))
    side = len(opacity)
    assert opacity.shape == (side, side)
    assert (opacity[side // 4 : 3 * side // 4, : side // 4] == 255).all()
    assert int((opacity > 0).sum()) == side * side // 8
    page.get_by_role("button", name="Surprise me").click()
    eventually(lambda: "picture" in shared(page)["source"])
    shows_its_plan(server, page)


AXE = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


def serious(page: Page) -> list[str]:
    found = Axe().run(page, options=AXE).response["violations"]
    return [
        f"{v['id']}: {v['help']}: {[node['target'] for node in v['nodes']][:3]}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_nothing_stands_in_the_way_of_anyone(server: Server, open_page: Open, scheme: str, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    visit(page, server.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ask(page, "make it a shark")
    expect(page.locator(".slider.changed").first).to_be_visible()
    expect(page.locator("#undo")).to_be_enabled()  # its colours are those of a disabled one until then
    expect(page.locator("#reset")).to_be_enabled()
    assert serious(page) == []
    page.get_by_role("button", name="About").click()
    facts = page.get_by_role("dialog", name="About this model")
    expect(facts).to_contain_text("does not say how its dictionary was measured")
    assert serious(page) == []
    facts.get_by_role("button", name="Close").click()
    page.locator("#list .item").first.click()
    expect(page.locator("#strip")).to_be_visible()
    assert serious(page) == []
    page.locator("#panel").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Label features").click()
    expect(page.locator("#card-title")).to_be_visible()
    assert serious(page) == []


def test_a_server_that_goes_away_and_comes_back(server: Server, open_page: Open, problems: list[str]) -> None:
    page = open_page()
    visit(page, server.url)
    ask(page, "make it a shark")
    expect(page.locator(".said li")).to_have_count(1)
    shows_its_plan(server, page)
    server.stop()
    expect(page.locator("#banner")).to_be_visible()
    page.locator(".slider input[type=range]").first.press("End")
    expect(page.locator("#banner")).to_contain_text("cannot be reached")
    server.start()
    expect(page.locator("#banner")).to_be_hidden(timeout=40_000)
    shows_its_plan(server, page)
    page.locator(".slider input[type=range]").first.press("Home")
    shows_its_plan(server, page)
    # While it starts, Serve's proxy answers before there is an application to ask: 404.
    expected = ("ERR_CONNECTION", "WebSocket", "503", "404")
    problems[:] = [problem for problem in problems if not any(word in problem for word in expected)]


def test_a_label_of_a_vision_model_says_whose_it_is(server: Server, open_page: Open) -> None:
    page = open_page()

    def by_vision(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"source": "vision", "confidence": 0.71})

    page.route(re.compile(r"/v1/features/\d+$"), by_vision)
    visit(page, server.url)
    page.locator(".slider .open").first.click()
    expect(page.locator("#panel .source")).to_have_text("from a vision model, confidence 0.71")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Label features").click()
    expect(page.get_by_text("label from a vision model at confidence 0.71")).to_be_visible()
    page.unroute_all(behavior="wait")


def test_the_pages_own_search_reads_words_as_the_server_does(server: Server, open_page: Open) -> None:
    page = open_page()
    visit(page, server.url)
    texts = [
        "Pêche d’été",
        "लाल टोपी",
        "红色帽子",
        "shark🦈🎩",
        "👩‍🚀👍🏽",
        "🇫🇷 1️⃣ ❤️",
        "หมวก",
        "赤いロボット",
        "A2+B2, deep-fried!",
    ]
    for form in ("NFC", "NFD"):
        given = [unicodedata.normalize(form, text) for text in texts]
        words = "(texts) => import('/static/shared/words.js').then(({ wordsOf }) => texts.map(wordsOf))"
        read = page.evaluate(words, given)
        assert read == [[word for word in tokenise(text) if word not in ",!"] for text in texts]
