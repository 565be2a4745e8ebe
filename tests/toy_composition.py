"""A composed set of three slots, small enough to be checked by eye: a ground, a shape that may be absent, a hat that
hides the shape's top. Pictures of 12 x 12 pixels, rendered and read exactly."""

import itertools

import numpy as np

from swiggle.composition import Requests

GROUNDS = {"grey": (120, 120, 120), "sand": (220, 200, 160)}
SHAPES = {"none": None, "disc": (200, 30, 30), "bar": (30, 30, 200)}
HATS = {"none": None, "cap": (20, 160, 20), "crown": (240, 220, 0), "veil": (250, 250, 250)}
_SENTENCES = {"ground": ("a {name} ground",), "shape": ("draw a {name} shape",), "hat": ("put on a {name} hat",)}


class Toy:
    slots = ("ground", "shape", "hat")
    size = 12
    subject = "shape"
    removable = ("shape", "hat")
    requests = Requests(
        _SENTENCES, _SENTENCES, _SENTENCES, {"hat": {"cap": ("beret",)}}, ("a zorblax", "more wibbleton")
    )
    _values = (GROUNDS, SHAPES, HATS)

    def names(self, slot: str) -> list[str]:
        return list(self._values[self.slots.index(slot)])

    def draw(self, count: int, seed: int) -> np.ndarray:
        """In some order, again and again: a toy has few pictures."""
        every = np.array(list(itertools.product(*(range(len(values)) for values in self._values))), np.int16)
        rng = np.random.default_rng(seed)
        return np.concatenate([rng.permutation(every) for _ in range(-(-count // len(every)))])[:count]

    def render(self, traits: np.ndarray) -> np.ndarray:
        pictures = np.zeros((len(traits), self.size, self.size, 3), np.uint8)
        for column, slot in enumerate(self.slots):
            covered = self.covers(slot, traits)
            colours = [colour or (0, 0, 0) for colour in self._values[column].values()]
            painted = np.array(colours, np.uint8)[traits[:, column]][:, None, None]
            pictures = np.where(covered[..., None], painted, pictures)
        return pictures

    def covers(self, slot: str, traits: np.ndarray) -> np.ndarray:
        masks = np.zeros((len(self.names(slot)), self.size, self.size), bool)
        for value, name in enumerate(self.names(slot)):
            if slot == "ground":
                masks[value] = True
            elif name != "none":
                # A veil hides a bar altogether, and of a disc all but the last rows.
                rows = {"disc": slice(3, 11), "bar": slice(4, 7), "cap": slice(1, 4), "crown": slice(0, 3)}
                masks[value, rows.get(name, slice(0, 8)), 3:9] = True
        return masks[traits[:, self.slots.index(slot)]]

    def read(self, pictures: np.ndarray) -> np.ndarray:
        every = self.draw(24, 0)
        every = every[np.lexsort(every.T[::-1])]
        known = self.render(every).reshape(len(every), -1).astype(np.float32)
        error = np.square(pictures.reshape(len(pictures), 1, -1).astype(np.float32) - known).sum(axis=2)
        return every[error.argmin(axis=1)]

    def margins(self, pictures: np.ndarray, traits: np.ndarray, slot: str, values: np.ndarray) -> np.ndarray:
        column, errors = self.slots.index(slot), []
        for value in range(len(self.names(slot))):
            other = traits.copy()
            other[:, column] = value
            errors.append(np.square(pictures.astype(np.float32) - self.render(other)).sum(axis=(1, 2, 3)))
        table = np.stack(errors, axis=1)
        own = table[np.arange(len(table)), values].copy()
        table[np.arange(len(table)), values] = np.inf
        return table.min(axis=1) - own

    def captions(self, traits: np.ndarray, seed: int) -> list[str]:
        return [
            ", ".join(f"{self.names(slot)[value]} {slot}" for slot, value in zip(self.slots, row, strict=True))
            for row in traits
        ]

    def nothing(self, slot: str) -> int | None:
        return self.names(slot).index("none") if "none" in self.names(slot) else None

    def same_look(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (self.render(one) == self.render(other)).all(axis=(1, 2, 3))
