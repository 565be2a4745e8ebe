"""The composer that knows what captions say: replaces what a picture is read to show by what is asked for.

Where captions bear a label out, or say the very words that are asked for, a replacement is the difference of two class
means (`class_means.py`), taken among pictures that show the same thing beside it; for two places that lie on each
other, of two prototypes (`pair_prototypes.py`). What a picture shows is read by linear discriminants
(`captioned_latents.py`). Where no caption bears a label out, it does what the simple composer does.

Where captions speak of no places, what a picture shows in place of what is asked for goes by exclusion: it is that one
of the terms which captions never say beside it that the picture is most likely to have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.captions.vocabulary import Mention
from swiggle.editing.class_means import already_there, class_mean_difference
from swiggle.editing.composer import Composer, Picture
from swiggle.editing.mean_difference import STEP, MeanDifferenceComposer
from swiggle.editing.pair_prototypes import PairPrototypes, pair_prototypes
from swiggle.editing.plan import Operation
from swiggle.prompts.clauses import Clause

BORNE_OUT = 0.3
"""Share of the captions of a feature's pictures that must hold its label for the captions to be trusted with it. Less
trusts more labels, wrong ones too; with twice as much, five edits of 300 fall back on directions and fail."""


def composer_for(atlas: Atlas, rows: np.ndarray, dictionary: str | None = None) -> Composer:
    """The simple composer where captions hold no term often enough to be read from pictures, else the one that knows
    what captions say."""
    kind = ClassMeanComposer if atlas.captioned.whole.any() else MeanDifferenceComposer
    return kind(atlas, rows, dictionary=dictionary)


@dataclass(frozen=True)
class ClassMeanComposer(MeanDifferenceComposer):
    """Replaces and removes by class means and pair prototypes of caption terms."""

    def operations(self, clause: Clause, seeds: Sequence[int], picture: Picture | None) -> list[Operation]:
        if seeds or picture is None or (term := self._said(clause)) is None:
            return super().operations(clause, seeds, picture)
        match clause.action:
            case "replace":
                return self._replaced(term, picture)
            case "remove":
                return self._removed(term, seeds, picture)
        amount = STEP * clause.amount if clause.action == "raise" else -STEP * clause.amount
        if amount < 0 and not self._shows(term, picture):
            return []
        return self.expressed(amount * self._difference(term), picture.activations)

    def knows(self, clause: Clause, seeds: Sequence[int]) -> bool:
        return super().knows(clause, seeds) or self._said(clause) is not None

    def note(self, clause: Clause, seeds: Sequence[int]) -> str:
        if (term := self._said(clause)) is None or (seeds and self.atlas.captioned.terms[term].place is not None):
            return ""
        known = self.atlas.captioned
        called = {self.atlas.words[seed] for seed in seeds}
        words = " ".join(known.terms[term].words)
        return "" if words in called else f"by what {len(known.pictures(term))} captions say of {words!r}"

    def replace(self, clause: Clause, seeds: Sequence[int], picture: Picture | None) -> list[Operation]:
        if picture is None or (term := self._term(seeds, clause)) is None:
            return super().replace(clause, seeds, picture)
        return self._replaced(term, picture)

    def remove(self, clause: Clause, seeds: Sequence[int], picture: Picture | None) -> list[Operation]:
        if picture is not None:
            term = self._term(seeds, clause) if clause.words else self._read(picture).get(clause.place)
            if term is not None:
                return self._removed(term, seeds, picture)
        return super().remove(clause, seeds, picture)

    def _term(self, seeds: Sequence[int], clause: Clause) -> int | None:
        """What the request means in the words of captions: its own words, if the captions of a seed's pictures hold
        them, else the first seed's label that they bear out. None if there is none."""
        captioned = self.atlas.captioned
        if (said := self._said(clause)) is not None and captioned.terms[said].place is None:
            return said
        own = [Mention(self.atlas.places[seed], clause.words) for seed in seeds]
        labels = [Mention(self.atlas.places[seed], tuple(self.atlas.words[seed].split())) for seed in seeds]
        for seed, mention in zip([*seeds, *seeds], own + labels, strict=True):
            term = captioned.number.get(mention)
            if term is not None and captioned.term_share[seed, term] >= BORNE_OUT:
                return term
        return None

    def _said(self, clause: Clause) -> int | None:
        """The term that captions say in the very words of a request, or of no place in a run of them, the longest and
        most frequent one; None if they say none often enough to be read from pictures."""
        captioned, usual = self.atlas.captioned, self.atlas.vocabulary.default_place
        places = (clause.place,) if clause.place else (usual, *self.atlas.vocabulary.places, None)
        count = len(clause.words)
        runs = [Mention(place, clause.words) for place in places] + [
            Mention(None, clause.words[start : start + length])
            for length in range(count - 1, 0, -1)
            for start in range(count - length, -1, -1)
        ]
        known = (captioned.number.get(run) for run in runs)
        return next((term for term in known if term is not None and captioned.whole[term]), None)

    def _shows(self, term: int, picture: Picture) -> bool:
        """Whether a picture is read to show what a term means."""
        captioned = self.atlas.captioned
        if (place := captioned.terms[term].place) is None:
            return captioned.shows(picture.latent, term)
        shown = self._read(picture)
        return place in shown and already_there(captioned, term, shown[place])

    def _difference(self, term: int) -> np.ndarray:
        """How the mean latent of the pictures whose captions hold a term differs from that of all."""
        captioned = self.atlas.captioned
        return captioned.class_mean(term) - captioned.mean(np.arange(len(captioned.latents)))

    def _replaced(self, term: int, picture: Picture) -> list[Operation]:
        """Operations that replace what the picture is read to show in the term's place; none if it is there already."""
        captioned, place = self.atlas.captioned, self.atlas.captioned.terms[term].place
        if place is None:
            if captioned.shows(picture.latent, term):
                return []
            instead = captioned.shown_instead(picture.latent, term)
            own = self._difference(term)
            return self.expressed(own if instead is None else own - self._difference(instead), picture.activations)
        shown = self._read(picture)
        if place not in shown or already_there(captioned, term, shown[place]):
            return []
        beside = self.where.beside(place)
        by_pair = [
            prototypes.move(place, term, shown[place], shown[prototypes.beside(place)])
            for prototypes in self._prototypes
            if place in (prototypes.one, prototypes.other)
        ]
        move = next((move for move in by_pair if move is not None), None)
        if move is None:
            move = class_mean_difference(captioned, term, shown[place], shown.get(beside) if beside else None)
        return self.expressed(move, picture.activations, self.where.acting(place, beside))

    def _removed(self, term: int, seeds: Sequence[int], picture: Picture) -> list[Operation]:
        """Operations that take what a term means out of the picture; none if neither reading nor seeds show it.

        Where captions know a word for nothing being there, it takes the term's place. Elsewhere the mean of all
        pictures does, within the cells in which features of the term act.
        """
        captioned, place = self.atlas.captioned, self.atlas.captioned.terms[term].place
        shown = self._read(picture)
        if not self._shows(term, picture) and not any(picture.activations[seed] > 0 for seed in seeds):
            return []
        if (nothing := self._nothing(place)) is not None:
            return self._replaced(nothing, picture)
        beside = self.where.beside(place)
        move = class_mean_difference(captioned, None, term, shown.get(beside) if beside else None)
        operations = self.expressed(move, picture.activations, self.where.acting(place, beside))
        mask = self.where.mask(self._labelled_as(captioned.terms[term]))
        return [operation.model_copy(update={"mask": mask}) for operation in operations]

    def _labelled_as(self, term: Mention) -> list[int]:
        """The features whose label is a term."""
        words = " ".join(term.words)
        return [i for i, own in enumerate(self.atlas.words) if own == words and self.atlas.places[i] == term.place]

    def _nothing(self, place: str | None) -> int | None:
        """The term by which captions say of a place that there is nothing."""
        captioned = self.atlas.captioned
        known = (captioned.number.get(Mention(place, (word,))) for word in self.atlas.vocabulary.nothing)
        return next((term for term in known if term is not None and captioned.whole[term]), None)

    def _read(self, picture: Picture) -> dict[str | None, int]:
        """The term that a caption would hold of each place of the picture."""
        shown = self.atlas.captioned.read(picture.latent)
        for prototypes in self._prototypes:
            shown |= prototypes.read(picture.latent, shown)
        return shown

    @cached_property
    def _prototypes(self) -> list[PairPrototypes]:
        found = [pair_prototypes(self.atlas.captioned, one, other) for one, other in self.where.on_each_other()]
        return [prototypes for prototypes in found if prototypes is not None]
