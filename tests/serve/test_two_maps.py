"""The map of the playground and that of the atlas's report: what is up in one is up in the other."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route

from serve.routes.api import STATIC
from swiggle.atlas.page import exact_sheet, lossy_sheet, write_page
from swiggle.data.pixels import encode_png

pytestmark = pytest.mark.integration
CORNERS = [(0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.6, 0.8)]
"""Positions of features, 0 to 1."""

PLAYGROUND = """async (corners) => {
    const { FeatureMap } = await import('/static/map/map.js');
    document.body.innerHTML = '<canvas style="position:fixed;inset:0;width:400px;height:400px"></canvas>';
    const canvas = document.querySelector('canvas');
    const found = [];
    const map = new FeatureMap(canvas, { hover: (id) => id >= 0 && found.push(id), choose() {}, lasso() {} });
    map.fill(corners.map(([x, y]) => ({ x, y })));
    for (let y = 0; y < 400; y += 8)
        for (let x = 0; x < 400; x += 8) {
            const before = found.length;
            canvas.dispatchEvent(new PointerEvent('pointermove', { clientX: x, clientY: y }));
            if (found.length > before) found[before] = [found[before], x / 400, y / 400];
        }
    return corners.map((_, id) => {
        const here = found.filter(([hit]) => hit === id);
        return [1, 2].map((axis) => here.reduce((sum, hit) => sum + hit[axis], 0) / here.length);
    });
}"""
REPORT = "(count) => Array.from({ length: count }, (_, i) => place(i, 400, 400).map((value) => value / 400))"


def report(path: Path) -> Path:
    """A page with features in the corners."""
    tile = np.zeros((32, 32, 3), np.uint8)
    count = len(CORNERS)
    same = {"label": "thing", "source": "caption", "group": "head", "rule": "", "histogram": [1], "nearest": [],
            "cofiring": [], "examples": [], "quantiles": [], "side_ids": [], "side_strengths": [],
            "preview": 0, "ablation": -1, "strip": -1}  # fmt: skip
    numbers = ("confidence", "precision", "recall", "f1", "density", "mean", "low", "high", "side")
    features = {name: [value] * count for name, value in (same | dict.fromkeys(numbers, 0.5)).items()}
    features |= {"id": list(range(count)), "x": [x for x, _ in CORNERS], "y": [y for _, y in CORNERS]}
    sheets = {name: lossy_sheet([tile], 80) for name in ("previews", "strips", "ablations")}
    sheets["examples"] = exact_sheet([encode_png(tile)])
    data = {
        "summary": "", "features": features, "strengths": [], "ablated": 3, "first": 0, "figures": [], "measures": {},
        "sheets": {name: {"columns": 64, "count": 64} for name in sheets},
        "groups": [{"name": "head", "x": 0.1, "y": 0.1}],
    }  # fmt: skip
    write_page(data, sheets, path)
    return path


def test_both_maps_put_a_feature_into_the_same_corner(tmp_path: Path, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(report(tmp_path / "index.html").as_uri())
    in_report = np.array(page.evaluate(REPORT, len(CORNERS)))

    def static(route: Route) -> None:
        name = route.request.url.removeprefix("http://page.test/")
        if name.startswith("static/"):
            route.fulfill(path=STATIC / name.removeprefix("static/"), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>map</title><link rel=icon href=data:,>", content_type="text/html")

    page.route("http://page.test/**", static)
    page.goto("http://page.test/")
    in_playground = np.array(page.evaluate(PLAYGROUND, CORNERS))
    np.testing.assert_allclose(in_report, in_playground, atol=0.05)
