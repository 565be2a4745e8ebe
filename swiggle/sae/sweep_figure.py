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
    names = short_names([trial["name"] for trial in trials])
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    front, densities = figure.subplots(1, 2)
    for objective in dict.fromkeys(trials[i]["objective"] for i in order):
        mine = [trials[i] for i in order if trials[i]["objective"] == objective]
        front.plot([t["l0"] for t in mine], [t["fvu"] for t in mine], "o-", label=objective)
    front.legend()
    for i in order:
        front.annotate(
            names[i], (trials[i]["l0"], trials[i]["fvu"]), xytext=(6, 6), textcoords="offset points", fontsize=8
        )
    front.plot(trials[chosen]["l0"], trials[chosen]["fvu"], "o", markersize=14, fillstyle="none", color="#e8590c")
    front.set(
        xlabel="L0: active features a latent", ylabel="FVU: share of variance lost", title="held-out; chosen ringed"
    )
    centres = (HISTOGRAM_EDGES[1:] + HISTOGRAM_EDGES[:-1]) / 2
    for i in order:
        densities.plot(centres, np.asarray(trials[i]["density_histogram"]), label=names[i])
    densities.set(
        xlabel="log10 of the share of pictures a feature fires on", ylabel="features", title="feature density"
    )
    densities.legend(fontsize=8)
    figure.savefig(path, dpi=120)


def short_names(names: Sequence[str]) -> list[str]:
    """Names of trials (`swiggle.sae.trials.name_of`) without what is the same at the end of all."""
    parts = [name.split("-") for name in names]
    while min(map(len, parts)) > 2 and len({words[-1] for words in parts}) == 1:
        parts = [words[:-1] for words in parts]
    return ["-".join(words) for words in parts]
