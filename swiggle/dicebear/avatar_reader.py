"""The reader of avatars: which one a picture shows.

For a 16 x 16 picture it finds the traits whose rendering has the least squared error, by coordinate descent over the
`BLOCKS`. The error of every value of a block, the others being fixed, is one matrix product. What is not known yet
counts as the mean of its values, which is how the first guess is made. Ground truth for evaluation, never an input to
an edit.
"""

from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from swiggle.dicebear.avatar_parts import SIZE, SLOTS, Parts

BLOCKS = (("background", "skin"), ("earrings",), ("shirt",), ("eyes", "glasses"), ("beard", "mouth"), ("hair", "hat"))
"""Slots that are read together, in the order of painting: one hides much of the other, or is seen through it."""
_BATCH = 256
_SWEEPS = 6
"""At most; most pictures stay as they are after the second."""


@dataclass(frozen=True)
class Sheet:
    """What may lie at one depth: of the colour v below it, value i makes `keep[i] * v + paint[i]`. keep: float32
    [values, pixels]; paint: float32 [values, pixels, 3]. Pictures may have one each: then the rows are pictures."""

    keep: np.ndarray
    paint: np.ndarray

    @cached_property
    def terms(self) -> np.ndarray:
        """What `errors` multiplies with, float32 [values, 9 * pixels]."""
        keep, paint = self.keep, self.paint
        parts = np.square(paint).sum(axis=2), keep[..., None] * paint, np.square(keep), paint, keep
        return np.concatenate([part.reshape(len(keep), -1) for part in parts], axis=1)

    @cached_property
    def mean(self) -> "Sheet":
        return Sheet(self.keep.mean(axis=0, keepdims=True), self.paint.mean(axis=0, keepdims=True))

    @cached_property
    def painted(self) -> np.ndarray:
        """The pixels that some value changes; at all others the values are alike."""
        return np.flatnonzero((self.keep != 1).any(axis=0))

    def at(self, pixels: np.ndarray) -> "Sheet":
        return Sheet(self.keep[:, pixels], self.paint[:, pixels])

    def of(self, values: np.ndarray) -> "Sheet":
        return Sheet(self.keep[values], self.paint[values])

    def below(self, upper: "Sheet") -> "Sheet":
        """This and what lies on it, row by row, as one."""
        return Sheet(upper.keep * self.keep, upper.paint + upper.keep[..., None] * self.paint)

    def pairs(self, upper: "Sheet") -> "Sheet":
        """Every value of this below every value of another; value (i, j) is i * len(upper) + j."""
        lower, over = len(self.keep), len(upper.keep)
        return self.of(np.repeat(np.arange(lower), over)).below(upper.of(np.tile(np.arange(over), lower)))


_CLEAR = Sheet(np.ones((1, 1), np.float32), np.zeros((1, 1, 3), np.float32))


def errors(sheet: Sheet, x: np.ndarray, under: Sheet, over: Sheet) -> np.ndarray:
    """Squared error of each value of a sheet, but for what is the same of all: float32 [N, values]. x: float32
    [N, pixels, 3]; `under` and `over`: what lies below and above it, one for all or one for each picture.

    With what is below, u, what is above, o + t v, and y = x - o, it is |y - t (paint + keep u)|^2, written out.
    """
    u, t = np.broadcast_to(under.paint, x.shape), np.broadcast_to(over.keep, x.shape[:2])
    y = (x - over.paint) * t[..., None]
    parts = (
        np.square(t), 2 * np.square(t)[..., None] * u, np.square(t) * np.square(u).sum(axis=2),
        -2 * y, -2 * (y * u).sum(axis=2),
    )  # fmt: skip
    return np.concatenate([part.reshape(len(x), -1) for part in parts], axis=1) @ sheet.terms.T


class AvatarReader:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._slots = {slot: Sheet(parts.keep[slot], parts.paint[slot]) for slot in SLOTS}
        self._blocks = [reduce(Sheet.pairs, (self._slots[slot] for slot in block)) for block in BLOCKS]
        self._painted = [block.at(block.painted) for block in self._blocks]

    def read(self, pictures: np.ndarray) -> np.ndarray:
        """Traits int16 [N, 10] in the order of `SLOTS`, of pictures uint8 [N, 16, 16, 3]."""
        found = [self._read(pictures[start : start + _BATCH]) for start in range(0, len(pictures), _BATCH)]
        return np.concatenate(found) if found else np.empty((0, len(SLOTS)), np.int16)

    def margins(self, pictures: np.ndarray, traits: np.ndarray, slot: str, values: np.ndarray) -> np.ndarray:
        """How much better a value of a slot fits than its best rival: the rival's squared error minus its own, summed
        over pixels, the other slots as in traits int [N, 10]. Pictures uint8 [N, 16, 16, 3], values int [N]."""
        place = SLOTS.index(slot)
        sheets = [self._slots[one].of(traits[:, column]) for column, one in enumerate(SLOTS)]
        table = errors(self._slots[slot], _flat(pictures), _stack(sheets[:place]), _stack(sheets[place + 1 :]))
        rows = np.arange(len(table))
        own = table[rows, values]
        table[rows, values] = np.inf
        return table.min(axis=1) - own

    def _read(self, pictures: np.ndarray) -> np.ndarray:
        x = _flat(pictures)
        values = np.full((len(x), len(BLOCKS)), -1)
        sheets = [block.mean for block in self._blocks]
        # From the top, which nothing hides, downwards: what is found first is what is seen best.
        for number in reversed(range(len(BLOCKS))):
            values[:, number] = self._best(number, x, sheets)
            sheets[number] = self._blocks[number].of(values[:, number])
        moving = np.arange(len(x))
        for _ in range(_SWEEPS):
            before = values[moving]
            sheets = [block.of(before[:, number]) for number, block in enumerate(self._blocks)]
            for number in range(len(BLOCKS)):
                values[moving, number] = self._best(number, x[moving], sheets)
                sheets[number] = self._blocks[number].of(values[moving, number])
            moving = moving[(values[moving] != before).any(axis=1)]
            if not len(moving):
                break
        return self._apart(values)

    def _best(self, number: int, x: np.ndarray, sheets: list[Sheet]) -> np.ndarray:
        pixels = self._blocks[number].painted
        near = [sheet.at(pixels) for sheet in sheets]
        under, over = _stack(near[:number]), _stack(near[number + 1 :])
        return errors(self._painted[number], x[:, pixels], under, over).argmin(axis=1)

    def _apart(self, values: np.ndarray) -> np.ndarray:
        """Traits of values of blocks int [N, blocks]."""
        traits = [
            one
            for number, block in enumerate(BLOCKS)
            for one in np.unravel_index(values[:, number], [self.parts.count(slot) for slot in block])
        ]
        return np.stack(traits, axis=1).astype(np.int16)


def _flat(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(len(pictures), SIZE * SIZE, 3).astype(np.float32)


def _stack(sheets: list[Sheet]) -> Sheet:
    """Sheets on each other, the first at the bottom; of none, one that shows what is below."""
    return reduce(Sheet.below, sheets, _CLEAR)
