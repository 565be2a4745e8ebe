"""Going through a large table a block at a time, so that memory does not grow with the product of its sides."""

from collections.abc import Iterator

CELLS = 2**23
"""Cells of a table that are worked on at once: 4,096 latents by 2,048 features, 32 MB in float32."""


def rows_at_once(width: int, cells: int | None = None) -> int:
    """How many rows of so many cells are worked on at once; one at least."""
    return max(1, (cells or CELLS) // max(1, width))


def blocks(count: int, width: int, cells: int | None = None) -> Iterator[slice]:
    """Slices that part `count` rows of `width` cells each; one slice where all of them fit."""
    step = rows_at_once(width, cells)
    for start in range(0, count, step):
        yield slice(start, min(count, start + step))
