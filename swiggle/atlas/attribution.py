"""Which place of the picture each of its pixels belongs to, learnt from pictures and their captions.

The median of all pictures whose captions say "shark head" shows a shark and, around it, nothing in particular. In a
picture whose caption says a thing of each place, a pixel belongs to the place whose median comes nearest to it: a
print's own pixels are those that look as they do on every shirt, the rest of the shirt is the shirt's. Where features
move a picture can so be told apart even for things that lie on each other. No trait column is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from swiggle.captions.vocabulary import Mention, Vocabulary

LEAST = 5
"""Pictures of which a median is taken, at least."""
UNATTRIBUTED = -1
"""In place of a place, for pixels of pictures whose captions say nothing that is known."""
_BATCH = 512


@dataclass(frozen=True)
class PlaceMedians:
    """`pictures` uint8 [things, S, S, 3], the median of the pictures whose captions say a thing, and `often` float32
    [things, S, S], the share of them that look just so at a pixel; `number` of a thing; `places`, of which things are
    said."""

    places: tuple[str, ...]
    number: dict[Mention, int]
    pictures: np.ndarray
    often: np.ndarray

    def attribute(self, images: np.ndarray, captions: Sequence[str | None], vocabulary: Vocabulary) -> np.ndarray:
        """For each pixel of pictures uint8 [N, S, S, 3] the number of its place in `places`, or `UNATTRIBUTED`: int8
        [N, S, S]. Of places that come equally near, the one whose thing looks so most often owns it."""
        said = np.full((len(images), len(self.places)), UNATTRIBUTED)
        for row, caption in enumerate(captions):
            for mention in vocabulary.mentions(caption or ""):
                if mention in self.number and mention.place:
                    said[row, self.places.index(mention.place)] = self.number[mention]
        owner = np.full(images.shape[:3], UNATTRIBUTED, np.int8)
        if not self.number:
            return owner
        for start in range(0, len(images), _BATCH):
            batch = slice(start, start + _BATCH)
            nearest = np.full(images[batch].shape[:3], np.inf, np.float32)
            shown = images[batch].astype(np.float32)
            for place in range(len(self.places)):
                thing = said[batch, place]
                # Whole numbers, so a share below one decides between equal ones only.
                distance = np.square(shown - self.pictures[thing]).sum(axis=3) - 0.5 * self.often[thing]
                closer = (distance < nearest) & (thing != UNATTRIBUTED)[:, None, None]
                nearest[closer], owner[batch][closer] = distance[closer], place
        return owner


def medians_of(images: np.ndarray, captions: Sequence[str | None], vocabulary: Vocabulary) -> PlaceMedians:
    """Medians of pictures uint8 [N, S, S, 3] for all things that enough of their captions say of a place."""
    rows: dict[Mention, list[int]] = {}
    for row, caption in enumerate(captions):
        for mention in vocabulary.mentions(caption or ""):
            if mention.place:
                rows.setdefault(mention, []).append(row)
    known = sorted((m for m, found in rows.items() if len(found) >= LEAST), key=lambda m: (m.place or "", m.words))
    pictures = np.zeros((len(known), *images.shape[1:]), np.uint8)
    often = np.zeros(pictures.shape[:3], np.float32)
    for number, mention in enumerate(known):
        own = images[rows[mention]]
        pictures[number] = np.median(own, axis=0)
        often[number] = (own == pictures[number]).all(axis=3).mean(axis=0)
    rank = {mention: row for row, mention in enumerate(known)}
    return PlaceMedians(tuple(vocabulary.places), rank, pictures, often)


def shares(change: np.ndarray, owner: np.ndarray, places: int) -> np.ndarray:
    """Of the change [e, S, S] of pictures with owners int8 [e, S, S], the share on the pixels of each place: float32
    [places], summing to one, or to zero where nothing changes that is anybody's."""
    by_place = np.array([change[owner == place].sum() for place in range(places)], np.float64)
    return (by_place / max(by_place.sum(), 1e-12)).astype(np.float32)


def acting_places(acting: np.ndarray, places: Sequence[str]) -> list[str | None]:
    """Of features with shares of their change [n, places], the place that each acts on; None where nothing changes."""
    return [places[row.argmax()] if row.sum() > 0 else None for row in acting] if places else [None] * len(acting)
