"""Edits as a figure: requests that were met, and requests that were not."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Shown:
    """One request: the unedited reconstruction, the edit and the true edit, each uint8 [S, S, 3], and whether the
    edit reads as the true one."""

    prompt: str
    before: np.ndarray
    after: np.ndarray
    true: np.ndarray
    met: bool


def draw_edits(edits: Sequence[Shown], path: Path) -> None:
    """Write a PNG: a column a request, those that were met first."""
    rows = ("before", "after", "true edit")
    figure = Figure(figsize=(1.25 * len(edits), 4.6), layout="constrained")
    axes = figure.subplots(len(rows), len(edits))
    for column, shown in enumerate(sorted(edits, key=lambda edit: not edit.met)):
        for row, (name, picture) in enumerate(zip(rows, (shown.before, shown.after, shown.true), strict=True)):
            axis = axes[row, column]
            axis.imshow(picture, interpolation="nearest")
            axis.set(xticks=[], yticks=[], ylabel=name if column == 0 else "")
            colour = "#2a7a3b" if shown.met else "#b3261e"
            axis.spines[:].set(color=colour, linewidth=2.0 if row == 1 else 0.0)
        axes[0, column].set_title(textwrap.fill(shown.prompt, 16), fontsize=7)
    figure.savefig(path, dpi=130)
