"""The sweep as one self-contained HTML page: fronts whose points can be clicked, curves, densities, baselines.

plotly.js comes from the installed `plotly` package and is written into the page, so that it opens from disk on any
machine without a network.
"""

import json
from importlib import resources
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from swiggle.sae.metrics import HISTOGRAM_EDGES


def write_page(report: dict[str, Any], path: Path) -> None:
    """`report`: what `jobs.report_sae` gathers: `chosen`, `reason`, `trials` and, of known traits, `baselines`."""
    template = resources.files("swiggle.sae").joinpath("sweep_page.html").read_text(encoding="utf-8")
    # "</" would end the script element that the data stands in.
    data = json.dumps({**report, "histogram_edges": HISTOGRAM_EDGES.tolist()}).replace("</", "<\\/")
    page = template.replace("/*PLOTLY*/", get_plotlyjs()).replace("/*DATA*/null", data)
    path.write_text(page, encoding="utf-8")
