"""What sets features apart that would have the same label.

Of the pictures that hold the label, each such feature fires on some. What captions say more often there than of the
rest of them is added to its label: "tooth head, more with square red glasses". Where no caption tells them apart,
where on the picture they act may: "cool background, upper left". What is added tells features apart and no more: words,
rule and scores of the label stay what they were. Labels that neither tells apart stay alike.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from swiggle.atlas.rules import Captions
from swiggle.captions.vocabulary import Mention

SURE = 4.0
"""Standard errors by which a thing must be said more often. Less adds more to labels; no edit depends on it."""
AWAY = 1.0
"""Cells, of 32, by which a footprint's middle must lie off that of the others with the label. Less tells more
labels apart by place; no edit depends on it."""


def alike(texts: Mapping[int, str]) -> list[list[int]]:
    """Groups of two features or more that have the same text. texts: of the labelled features."""
    groups = defaultdict(list)
    for feature, text in texts.items():
        groups[text].append(feature)
    return [group for group in groups.values() if len(group) > 1]


def more_often(captions: Captions, terms: Sequence[Mention], held: np.ndarray, fired: np.ndarray) -> Mention | None:
    """The term that captions of the pictures on which a feature fires say more often than the rest of those that hold
    its label, by a two-proportion z-test; None if none is surely said more often. held, fired: bool [captions]."""
    count, total = (held & fired).sum(), held.sum()
    if not 0 < count < total:
        return None
    own, both = captions.of(held & fired), captions.of(held)
    share = both / total
    error = np.sqrt(np.maximum(share * (1 - share) * (1 / count + 1 / (total - count)), 1e-12))
    z = (own / count - (both - own) / (total - count)) / error
    # What none or all of them say tells nothing apart.
    best = int(np.where((share > 0) & (share < 1) & captions.whole, z, 0.0).argmax())
    return terms[best] if z[best] >= SURE else None


def side_of(footprint: np.ndarray, others: np.ndarray) -> str:
    """Where a footprint [32, 32] lies beside the mean of others: `upper left`, `right`; empty if in the same place."""
    down, across = np.subtract(_middle(footprint), _middle(others))
    vertical = "" if abs(down) < AWAY else "upper" if down < 0 else "lower"
    horizontal = "" if abs(across) < AWAY else "left" if across < 0 else "right"
    return f"{vertical} {horizontal}".strip()


def _middle(footprint: np.ndarray) -> tuple[float, float]:
    total = max(float(footprint.sum()), 1e-12)
    cells = np.arange(len(footprint))
    return float(footprint.sum(axis=1) @ cells) / total, float(footprint.sum(axis=0) @ cells) / total
