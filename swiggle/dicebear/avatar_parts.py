"""The parts of DiceBear's pixel-art avatars that are used, what they are called, and how an avatar is drawn from them.

A value of a slot is a part in a colour ("long brown" hair); both have words that one sees in the picture. The style's
parts have numbers for names, and many differ by a square or two: those that can be told apart in words are taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

SIZE = 16
NOTHING = "no"
"""The name of the value that paints nothing, as in "no hat"."""
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Kind:
    """What a slot shows: parts of a `component` of the style, by the words for them, each in each of the `colours`;
    or, with the probability `bare`, nothing. A name is the words for part and colour."""

    component: str
    parts: Mapping[str, str]
    colours: Mapping[str, Colour]
    bare: float = 0.0


_BACKGROUNDS: dict[str, Colour] = {
    "white": (245, 245, 245), "grey": (128, 132, 140), "blue": (182, 227, 244), "lilac": (192, 174, 222),
    "pink": (255, 200, 221), "mint": (190, 240, 205),
}  # fmt: skip
"""Plain colours: the style leaves the background to its user."""
KINDS = {
    "skin": Kind(
        "skin", {"": "skin"},
        {"pale": (255, 219, 172), "tan": (224, 182, 135), "brown": (182, 134, 85), "dark": (141, 85, 36)},
    ),
    "earrings": Kind(
        "accessories", {"square": "variant01", "long": "variant03"},
        {"gold": (255, 215, 0), "silver": (211, 211, 211)}, bare=0.6,
    ),
    "shirt": Kind(
        "clothes",
        {
            "plain": "variant03", "checkered": "variant06", "striped": "variant13", "strapless": "variant20",
            "high collared": "variant12",
        },
        {
            "blue": (66, 139, 202), "navy": (3, 57, 108), "green": (0, 177, 89), "red": (209, 17, 65),
            "yellow": (255, 217, 105),
        },
    ),
    "eyes": Kind(
        "eyes",
        {
            "round": "variant09", "narrow": "variant04", "sideways": "variant08", "sleepy": "variant12",
            "wide": "variant05",
        },
        {"": (91, 124, 139)},
    ),
    "glasses": Kind(
        "glasses", {"narrow": "light01", "square": "light07", "tinted": "dark06", "visor": "dark03"},
        {"black": (25, 25, 25), "blue": (67, 103, 125), "red": (160, 75, 93)}, bare=0.65,
    ),
    "beard": Kind(
        "beard", {"full": "variant03", "pointed": "variant02", "trimmed": "variant07"},
        {"black": (40, 21, 10), "blond": (202, 177, 136), "red": (189, 23, 0)}, bare=0.65,
    ),
    "mouth": Kind(
        "mouth",
        {
            "smiling": "happy09", "open": "happy01", "frowning": "sad01", "straight": "sad06", "grinning": "happy12",
            "smirking": "happy08",
        },
        {"": (222, 15, 13)},
    ),
    "hair": Kind(
        "hair",
        {
            "long": "long12", "bobbed": "long21", "curly": "long15", "braided": "long18", "short": "short15",
            "swept": "long08", "cropped": "short14", "flowing": "long03",
        },
        {
            "blond": (202, 177, 136), "brown": (96, 58, 20), "black": (40, 21, 10), "red": (189, 23, 0),
            "blue": (0, 155, 189), "green": (145, 203, 21),
        },
    ),
    "hat": Kind(
        "hat", {"knitted": "variant01", "striped": "variant04", "peaked": "variant07", "brimmed": "variant06"},
        {"blue": (38, 99, 163), "green": (61, 138, 107), "pink": (204, 97, 146), "red": (166, 33, 22)}, bare=0.65,
    ),
}  # fmt: skip
"""In the order in which the style paints them. Its probabilities of glasses, beards, earrings and hats (0.05 to 0.2)
are raised, so that each value is seen in more than a hundredth of the pictures."""
SLOTS = ("background", *KINDS)


@dataclass(frozen=True)
class Parts:
    """All values of all slots: `names`, `share` float64 [values], how often each is drawn, and what they paint. Of the
    colour v below it a value makes `keep * v + paint`: `keep` float32 [values, 256], `paint` float32 [values, 256, 3].
    """

    names: dict[str, list[str]]
    share: dict[str, np.ndarray]
    keep: dict[str, np.ndarray]
    paint: dict[str, np.ndarray]

    def count(self, slot: str) -> int:
        """How many values a slot has."""
        return len(self.names[slot])

    def render(self, traits: np.ndarray) -> np.ndarray:
        """Draw avatars. traits: int [N, 10], a value for each slot of `SLOTS`; returns uint8 [N, 16, 16, 3]."""
        canvas = np.zeros((len(traits), SIZE * SIZE, 3), np.float32)
        for column, slot in enumerate(SLOTS):
            values = traits[:, column]
            canvas = self.keep[slot][values][..., None] * canvas + self.paint[slot][values]
        return np.rint(canvas).astype(np.uint8).reshape(-1, SIZE, SIZE, 3)


@cache
def load_parts() -> Parts:
    """The parts that ship with the package (see `PROVENANCE.md`)."""
    plain = np.array(list(_BACKGROUNDS.values()), np.float32)
    names, share = {SLOTS[0]: list(_BACKGROUNDS)}, {SLOTS[0]: np.full(len(plain), 1 / len(plain))}
    keep = {SLOTS[0]: np.zeros((len(plain), SIZE * SIZE), np.float32)}
    paint = {SLOTS[0]: np.repeat(plain[:, None], SIZE * SIZE, axis=1)}
    with files("swiggle.dicebear").joinpath("parts.npz").open("rb") as stream, np.load(stream) as archive:
        for slot, kind in KINDS.items():
            known = [str(name) for name in archive[f"{kind.component}_names"]]
            drawn = archive[f"{kind.component}_layers"].reshape(len(known), 3, SIZE * SIZE)
            made = [
                (f"{words} {colour}".strip(), *_tinted(drawn[known.index(part)], rgb))
                for words, part in kind.parts.items()
                for colour, rgb in kind.colours.items()
            ]
            if kind.bare:
                made = [(NOTHING, np.ones(SIZE * SIZE, np.float32), np.zeros((SIZE * SIZE, 3), np.float32)), *made]
            names[slot] = [name for name, _, _ in made]
            keep[slot], paint[slot] = np.stack([one for _, one, _ in made]), np.stack([one for _, _, one in made])
            shown = len(made) - bool(kind.bare)
            share[slot] = np.array([kind.bare] * bool(kind.bare) + [(1 - kind.bare) / shown] * shown)
    return Parts(names, share, keep, paint)


def _tinted(layers: np.ndarray, colour: Colour) -> tuple[np.ndarray, np.ndarray]:
    """`keep` and `paint` of a part float32 [3, 256] in a colour."""
    keep, tint, white = layers
    return keep, tint[:, None] * np.array(colour, np.float32) + 255 * white[:, None]
