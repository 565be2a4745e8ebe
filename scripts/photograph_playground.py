"""The pictures of docs/playground.md: screenshots, and a short recording of an edit.

    python -m scripts.photograph_playground --bundle runs/demo --out docs/images

The recording is a GIF of screenshots, played at the pace of a hand.
"""

import argparse
import io
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.playground import chromium, served

Scheme = Literal["light", "dark"]
WIDTH = 900
"""Of the recording, in pixels."""
COLOURS = 128


class Film:
    """Frames of a page, each with the milliseconds that it is shown."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.shown: list[int] = []

    def take(self, milliseconds: int) -> None:
        with Image.open(io.BytesIO(self.page.screenshot())) as shot:
            height = WIDTH * shot.height // shot.width
            self.frames.append(shot.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS))
        self.shown.append(milliseconds)

    def save(self, path: Path) -> None:
        some = self.frames[:: max(1, len(self.frames) // 4)]
        together = Image.new("RGB", (WIDTH, sum(frame.height for frame in some)))
        for number, frame in enumerate(some):
            together.paste(frame, (0, number * frame.height))
        palette = together.quantize(COLOURS, dither=Image.Dither.NONE)
        small = [frame.quantize(COLOURS, palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        small[0].save(path, save_all=True, append_images=small[1:], duration=self.shown, loop=0, optimize=True)


def settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)


def visited(browser: Browser, url: str, scheme: Scheme = "light", width: int = 1440, height: int = 900) -> Page:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(url)
    page.locator(".slider").first.wait_for()
    settled(page)
    return page


def ask(page: Page, prompt: str) -> None:
    page.get_by_label("What should change?").fill(prompt)
    page.get_by_role("button", name="Edit", exact=True).click()
    page.locator(".said li").first.wait_for()
    settled(page)


def record(browser: Browser, url: str, out: Path) -> None:
    """By prompt, by slider, from the map."""
    page = visited(browser, url)
    film = Film(page)
    film.take(900)
    field = page.get_by_label("What should change?")
    for word in ("make it", "make it a", "make it a shark"):
        field.fill(word)
        film.take(250)
    ask(page, "make it a shark")
    film.take(1600)
    slider = page.locator(".slider input[type=range]").nth(1)
    for strength in (0.8, 0.6, 0.4, 0.2, 0.0, 0.3, 0.6, 0.97):
        slider.fill(str(strength))
        page.wait_for_timeout(150)
        film.take(160)
    page.get_by_label("Find features by meaning").fill("banana")
    settled(page)
    film.take(1200)
    page.locator("#list .item").first.click()
    settled(page)
    film.take(1500)
    page.get_by_role("button", name="Put it in").click()
    page.locator(".said li").nth(1).wait_for()
    settled(page)
    film.take(2200)
    film.save(out / "playground.gif")
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    with served(options.bundle) as url, chromium() as browser:
        shots: list[tuple[str, Scheme, int, int]] = [
            ("page", "light", 1440, 900),
            ("playground-dark", "dark", 1000, 1250),
            ("playground-phone", "light", 390, 844),
        ]
        for name, scheme, width, height in shots:
            page = visited(browser, url, scheme, width, height)
            ask(page, "make it a shark")
            page.screenshot(path=options.out / f"{name}.png")
            if name == "page":
                page.locator(".slider .open").nth(1).click()
                settled(page)
                page.wait_for_timeout(2000)  # the five pictures of the strip come one after the other
                page.screenshot(path=options.out / "playground-feature.png")
                page.get_by_role("button", name="Label features").click()
                settled(page)
                page.screenshot(path=options.out / "playground-labelling.png")
            page.close()
        record(browser, url, options.out)


if __name__ == "__main__":
    main()
