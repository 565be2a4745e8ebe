"""The atlas's figures: what the dictionary keeps of pictures, how sparse it became, how often its features fire."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from swiggle.sae.metrics import HISTOGRAM_EDGES


def reconstruction_grid(rows: dict[str, np.ndarray]) -> bytes:
    """PNG with a row of pictures uint8 [n, S, S, 3] for each name."""
    count = len(next(iter(rows.values())))
    figure = Figure(figsize=(0.95 * count, 1.1 * len(rows)), layout="constrained")
    for axis, (name, pictures) in zip(np.atleast_1d(figure.subplots(len(rows), 1)), rows.items(), strict=True):
        axis.imshow(np.concatenate(list(pictures), axis=1), interpolation="nearest", aspect="equal")
        _bare(axis, name)
    return _png(figure)


def l0_curve(epochs: Sequence[float], l0: Sequence[float], held_out: float) -> bytes:
    """PNG: active features a picture over the training, and on the held-out set at its end."""
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.plot(epochs, l0, marker=".", label="training")
    axis.axhline(held_out, linestyle="--", linewidth=1, color="#888", label=f"held out, at the end: {held_out:.1f}")
    axis.set(xlabel="epoch", ylabel="L0: active features a picture", yscale="log")
    axis.legend()
    return _png(figure)


def density_histogram(density: np.ndarray) -> bytes:
    """PNG: log10 of the share of pictures on which each live feature fires. density: [features]."""
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axis = figure.subplots()
    axis.hist(np.log10(density[density > 0]), bins=HISTOGRAM_EDGES.tolist())
    axis.set(xlabel="log10 of the share of pictures it fires on", ylabel="features")
    axis.set_title(f"{int((density == 0).sum())} of {len(density)} features fire on none", fontsize="medium")
    return _png(figure)


def ablation_grid(sheets: dict[str, np.ndarray]) -> bytes:
    """PNG: for each feature by name its tiles uint8 [3, n, s, s, 3]: before, after, difference."""
    wide = max(sheet.shape[1] for sheet in sheets.values())
    figure = Figure(figsize=(0.9 * wide + 0.8, 3.0 * len(sheets)), layout="constrained")
    for panel, (name, sheet) in zip(np.asarray(figure.subfigures(len(sheets), 1)).ravel(), sheets.items(), strict=True):
        panel.suptitle(name, fontsize="medium")
        for axis, row, what in zip(panel.subplots(3, 1), sheet, ("before", "after", "difference"), strict=True):
            axis.imshow(np.concatenate(list(row), axis=1), interpolation="nearest")
            _bare(axis, what)
    return _png(figure)


def _bare(axis: Axes, name: str = "") -> None:
    axis.set(xticks=[], yticks=[], ylabel=name)
    axis.spines[:].set_visible(False)


def _png(figure: Figure) -> bytes:
    stream = BytesIO()
    figure.savefig(stream, dpi=100)
    return stream.getvalue()
