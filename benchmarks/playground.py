"""How fast the page is, in headless Chromium without a GPU: first paint, bytes, frames a second.

    python -m benchmarks.playground --bundle runs/demo

Starts `python -m serve` on the bundle and exports it too. Frames are those that reach the canvas, counted in the page.
"""

import argparse
import contextlib
import functools
import http.server
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

COUNT = """() => {
    window.counted = { picture: 0, map: 0 };
    const proto = CanvasRenderingContext2D.prototype;
    const { drawImage, fillRect } = proto;
    proto.drawImage = function (...given) {
        if (this.canvas.id === 'picture') window.counted.picture += 1;
        return drawImage.apply(this, given);
    };
    proto.fillRect = function (...given) {
        if (this.canvas.id === 'map' && given[0] === 0 && given[1] === 0 && given[2] > 200) window.counted.map += 1;
        return fillRect.apply(this, given);
    };
}"""

# A hand on the slider: a new value at every animation frame, for some seconds.
DRAG = """async (seconds) => {
    const slider = document.querySelector('.slider input[type=range]');
    const start = performance.now();
    let moves = 0;
    window.counted.picture = 0;
    while (performance.now() - start < 1000 * seconds) {
        const share = (1 + Math.sin((performance.now() - start) / 300)) / 2;
        slider.value = Number(slider.min) + share * (slider.max - slider.min);
        slider.dispatchEvent(new Event('input', { bubbles: true }));
        moves += 1;
        await new Promise(requestAnimationFrame);
    }
    const elapsed = (performance.now() - start) / 1000;
    return { moves: moves / elapsed, frames: window.counted.picture / elapsed };
}"""

# Dragging and zooming the map, with the hover that goes with it.
PAN = """async ([seconds, zoom]) => {
    const map = document.getElementById('map');
    const { left, top, width, height } = map.getBoundingClientRect();
    const at = (type, x, y) =>
        new PointerEvent(type, { bubbles: true, pointerId: 1, clientX: left + x, clientY: top + y });
    map.setPointerCapture = () => {};
    for (let i = 0; i < zoom; i += 1) document.getElementById('zoom-in').click();
    await new Promise(requestAnimationFrame);
    map.dispatchEvent(at('pointerdown', width / 2, height / 2));
    const start = performance.now();
    window.counted.map = 0;
    while (performance.now() - start < 1000 * seconds) {
        const turn = (performance.now() - start) / 400;
        map.dispatchEvent(at('pointermove', width / 2 + 120 * Math.sin(turn), height / 2 + 60 * Math.cos(turn)));
        await new Promise(requestAnimationFrame);
    }
    const frames = window.counted.map / ((performance.now() - start) / 1000);
    map.dispatchEvent(at('pointerup', width / 2, height / 2));
    document.getElementById('zoom-all').click();
    return frames;
}"""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        sys.exit("no chromium on the PATH")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@contextlib.contextmanager
def served(bundle: str) -> Iterator[str]:
    """`python -m serve` on a bundle; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "serve", "--bundle", bundle, "--port", str(port)])
    try:
        for _ in range(360):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/healthz")
                break
            if process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.5)
        yield url
    finally:
        process.send_signal(2)
        process.wait(60)


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def exported(bundle: str) -> Iterator[str]:
    """`python -m serve.export` on a bundle, behind the plainest static server; its address."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        subprocess.run([sys.executable, "-m", "serve.export", "--bundle", bundle, "--out", str(site)], check=True)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(site)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def loaded(page: Page, url: str) -> dict[str, float]:
    """Open the page. Seconds to the first paint and to a character with sliders; megabytes until all is quiet."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    start = time.monotonic()
    page.goto(url, wait_until="commit")
    page.locator(".slider").first.wait_for()
    useful = time.monotonic() - start
    page.wait_for_load_state("networkidle")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return {"first_paint_s": paint / 1000, "useful_paint_s": useful, "megabytes": sum(sizes) / 1e6}


def measure(page: Page, url: str, seconds: float) -> dict[str, float]:
    found = loaded(page, url)
    page.evaluate(COUNT)
    drag = page.evaluate(DRAG, seconds)
    found |= {"slider_moves_per_s": drag["moves"], "slider_frames_per_s": drag["frames"]}
    for name, zoom in (("map_frames_per_s", 0), ("map_pictures_frames_per_s", 3)):
        found[name] = page.evaluate(PAN, [seconds, zoom])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="runs/demo")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each interaction")
    parser.add_argument("--url", help="measure a server that runs already, in place of one started here")
    options = parser.parse_args()
    server = contextlib.nullcontext(options.url) if options.url else served(options.bundle)
    with chromium() as browser:
        for name, start in (("server", server), ("export", exported(options.bundle))):
            with start as url:
                # The first visit warms the server up; the second has an empty cache too.
                for visit in ("first", "second"):
                    context = browser.new_context(viewport={"width": 1440, "height": 900})
                    page = context.new_page()
                    found = measure(page, url, options.seconds) if visit == "second" else loaded(page, url)
                    print(
                        json.dumps({"of": name, "visit": visit} | {k: round(v, 2) for k, v in found.items()}),
                        flush=True,
                    )
                    context.close()


if __name__ == "__main__":
    main()
