"""The sweep as a picture: the L0-FVU front and the density histogram of each trial."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from swiggle.sae.metrics import HISTOGRAM_EDGES


def draw_sweep(trials: Sequence[dict[str, Any]], chosen: int, path: Path) -> None:
    """Write a PNG with the Pareto figure on the left and log10 density histograms on the right."""
    order = sorted(range(len(trials)), key=lambda i: trials[i]["l0"])
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    front, densities = figure.subplots(1, 2)
    for objective in dict.fromkeys(trials[i]["objective"] for i in order):
        mine = [trials[i] for i in order if trials[i]["objective"] == objective]
        front.plot([t["l0"] for t in mine], [t["fvu"] for t in mine], "o-", label=objective)
    front.legend()
    for i in order:
        front.annotate(
            trials[i]["name"], (trials[i]["l0"], trials[i]["fvu"]), xytext=(6, 6), textcoords="offset points"
        )
    front.plot(trials[chosen]["l0"], trials[chosen]["fvu"], "o", markersize=14, fillstyle="none", color="#e8590c")
    front.set(
        xlabel="L0: active features a latent", ylabel="FVU: share of variance lost", title="held-out; chosen ringed"
    )
    centres = (HISTOGRAM_EDGES[1:] + HISTOGRAM_EDGES[:-1]) / 2
    for i in order:
        densities.plot(centres, np.asarray(trials[i]["density_histogram"]), label=trials[i]["name"])
    densities.set(
        xlabel="log10 of the share of pictures a feature fires on", ylabel="features", title="feature density"
    )
    densities.legend()
    figure.savefig(path, dpi=120)
