"""What the tests of the page do and see, in the words of its users."""

import base64
import io
import time
from collections.abc import Callable

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.conftest import Server

PLAN = "import('/static/editor/share.js').then(({ fromFragment }) => fromFragment(location.hash))"


def visit(page: Page, url: str) -> None:
    """Open the page and wait until the character, its sliders and the map are there."""
    page.goto(url)
    expect(page.locator(".slider").first).to_be_visible(timeout=40_000)
    page.wait_for_function("document.getElementById('legend').children.length > 0")


def shown(page: Page, canvas: str = "#picture") -> np.ndarray:
    """A canvas as uint8 [S, S, 3]."""
    text = page.evaluate("(name) => document.querySelector(name).toDataURL()", canvas)
    with Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2]))) as image:
        return np.asarray(image.convert("RGB"))


def before(page: Page) -> np.ndarray:
    return shown(page, "[data-mode=before] canvas")


def shared(page: Page) -> dict:
    """`source` and `plan` as the address of the page holds them."""
    return page.evaluate(PLAN)


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not come true in time"
        time.sleep(0.05)


def expected(server: Server, page: Page) -> np.ndarray:
    """The picture that the server makes of the plan in the page's address."""
    edit = shared(page)
    source = edit["source"]
    path = f"/v1/samples/{source['sample']}.png" if "sample" in source else f"/v1/pictures/{source.get('picture')}.png"
    image = source.get("image") or base64.b64encode(server.http.get(path).content).decode()
    answer = server.http.post("/v1/steer", json={"image": image, "plan": edit["plan"], "format": "png"})
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as png:
        return np.asarray(png.convert("RGB"))


def shows_its_plan(server: Server, page: Page) -> None:
    """The picture on the page comes to be that of its plan, to the pixel."""
    eventually(lambda: np.array_equal(shown(page), expected(server, page)))


def ask(page: Page, prompt: str) -> None:
    page.get_by_label("What should change?").fill(prompt)
    page.get_by_role("button", name="Edit", exact=True).click()


def find(page: Page, words: str) -> None:
    """Search by meaning and wait for the list."""
    page.get_by_label("Find features by meaning").fill(words)
    expect(page.locator("#list-title")).to_contain_text(f"“{words}”")
