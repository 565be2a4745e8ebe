"""Which place of the picture each of its pixels belongs to, learnt from pictures and their captions.

The median of all pictures whose captions say "shark head" shows a shark and, around it, nothing in particular. In a
picture whose caption says a thing of each place, a pixel belongs to the place whose median comes nearest to it: a
print's own pixels are those that look as they do on every shirt, the rest of the shirt is the shirt's. Where features
move a picture can so be told apart even for things that lie on each other. No trait column is read.

That holds for pictures that are *registered*: a thing lies on the same pixels in all of them. Whether they are is
measured (`registration`); where they are not, whose a pixel is stays unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from swiggle.captions.vocabulary import Mention, Vocabulary

LEAST = 5
"""Pictures of which a median is taken, at least."""
UNATTRIBUTED = -1
"""In place of a place, for pixels of pictures whose captions say nothing that is known."""
REGISTERED = 0.3
"""`registration` from which pictures are taken to be registered. Nouns have 0.99 (0.55 where only 1,000 pictures are
known), moved by up to one pixel 0.60, by two 0.44, by four 0.26, by eight 0.08, with captions of others 0.00."""
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
        return self._nearest(images, captions, vocabulary)[0]

    def registration(self, images: np.ndarray, captions: Sequence[str | None], vocabulary: Vocabulary) -> float:
        """How much nearer pictures uint8 [N, S, S, 3] come to the medians of what their own captions say than to those
        of what the captions of others say: 0, no nearer, to 1, the medians are what they look like. 0 where no caption
        says a known thing of any place."""
        own, other = (self._nearest(images, said, vocabulary)[1] for said in (captions, [*captions[1:], *captions[:1]]))
        known = np.isfinite(own) & np.isfinite(other)
        total = np.maximum(other[known], 0.0).sum()
        return float(max(0.0, 1.0 - np.maximum(own[known], 0.0).sum() / total)) if total > 0 else 0.0

    def _nearest(
        self, images: np.ndarray, captions: Sequence[str | None], vocabulary: Vocabulary
    ) -> tuple[np.ndarray, np.ndarray]:
        """For each pixel the number of the place whose median comes nearest to it, int8 [N, S, S], and how near,
        float32 [N, S, S]."""
        said = np.full((len(images), len(self.places)), UNATTRIBUTED)
        for row, caption in enumerate(captions):
            for mention in vocabulary.mentions(caption or ""):
                if mention in self.number and mention.place:
                    said[row, self.places.index(mention.place)] = self.number[mention]
        owner = np.full(images.shape[:3], UNATTRIBUTED, np.int8)
        nearest = np.full(images.shape[:3], np.inf, np.float32)
        if not self.number:
            return owner, nearest
        for start in range(0, len(images), _BATCH):
            batch = slice(start, start + _BATCH)
            shown = images[batch].astype(np.float32)
            for place in range(len(self.places)):
                thing = said[batch, place]
                # Whole numbers, so a share below one decides between equal ones only.
                distance = np.square(shown - self.pictures[thing]).sum(axis=3) - 0.5 * self.often[thing]
                closer = (distance < nearest[batch]) & (thing != UNATTRIBUTED)[:, None, None]
                nearest[batch][closer], owner[batch][closer] = distance[closer], place
        return owner, nearest


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
