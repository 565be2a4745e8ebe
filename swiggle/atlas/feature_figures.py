"""The atlas's figures: what the dictionary keeps of pictures, and what taking features out of them does."""

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def reconstruction_grid(rows: dict[str, np.ndarray]) -> bytes:
    """PNG with a row of pictures uint8 [n, S, S, 3] for each name."""
    count = len(next(iter(rows.values())))
    figure = Figure(figsize=(0.95 * count, 1.1 * len(rows)), layout="constrained")
    for axis, (name, pictures) in zip(np.atleast_1d(figure.subplots(len(rows), 1)), rows.items(), strict=True):
        axis.imshow(np.concatenate(list(pictures), axis=1), interpolation="nearest", aspect="equal")
        _bare(axis, name)
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
