"""From what a prompt asks for to an EditPlan for one picture.

Where the captions of training pictures bear a seed's label out, a replacement is the move between remembered pictures
(`swiggle.editing.class_means`). Elsewhere, as for labels that only a person has given, directions serve: where seeds
are strong, latents differ from the average in a way of their own, and so do those of what the picture already has in
that place. The wished-for move is expressed in a few dozen features by least squares (`swiggle.editing.fit`), so the
plan stays a list of sliders.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import Match
from swiggle.captions.vocabulary import Mention
from swiggle.editing.class_means import already_there, move_between
from swiggle.editing.fit import fit_move
from swiggle.editing.footprints import Whereabouts
from swiggle.editing.pair_prototypes import Looks, looks_of
from swiggle.editing.plan import MAX_OPERATIONS, EditPlan, Operation
from swiggle.prompts.clauses import Clause
from swiggle.prompts.retrieval import Found

GROUP = 32
"""Features that one request may raise at most."""
BORNE_OUT = 0.3
"""Share of the captions of a feature's pictures that must hold its label for the captions to be trusted with it."""
FREQUENT = 5e-4
"""Share of the pictures that a feature must fire on to be raised."""


@dataclass(frozen=True)
class Request:
    """One request of a prompt, and the features that it means: all that depends on no picture."""

    clause: Clause
    found: Found

    @property
    def place(self) -> str | None:
        """The place that it is about."""
        return self.clause.place or (self.found.matched[0].place if self.found.matched else None)


@dataclass(frozen=True)
class Reason:
    """Why a request led to operations, or to none."""

    text: str
    action: str
    matched: list[Match]
    features: list[int]
    nearest: list[str]
    """Labels that come closest, where nothing matched."""
    alternatives: list[str] = field(default_factory=list)
    """Other labels that might have been meant."""
    note: str = field(default="", compare=False)
    """What whoever read the prompt could not do."""


@dataclass(frozen=True)
class PromptPlan:
    plan: EditPlan = field(default_factory=EditPlan)
    reasons: list[Reason] = field(default_factory=list)


@dataclass(frozen=True)
class Picture:
    """What a planner sees of a picture: `activations` float32 [features] and `latent` float32 [latent_dim]."""

    activations: np.ndarray
    latent: np.ndarray


@dataclass(frozen=True)
class Composer:
    """Composes plans with one atlas and the dictionary's decoder rows [features, latent_dim]."""

    atlas: Atlas
    rows: np.ndarray
    group: int = GROUP
    dictionary: str | None = None
    """The id that plans name."""

    def compose(self, requests: Sequence[Request], picture: Picture | None = None) -> PromptPlan:
        """The plan that does what is requested, in order.

        Without a picture it adds what is asked and takes out the features that usually fill the place. A request
        that no label matches adds no operation, and its reason holds the nearest labels.
        """
        operations: dict[int, Operation] = {}
        reasons: list[Reason] = []
        for number, request in enumerate(requests):
            clause, meant = request.clause, request.found
            seeds = [match.feature for match in meant.matched]
            found = [] if _idle(requests, reasons) else self._operations(clause, seeds, picture)
            # Later requests see the picture as the earlier ones leave it, so the last word on a feature counts.
            operations.update({operation.feature: operation for operation in found})
            if picture is not None and number < len(requests) - 1:
                picture = self._after(picture, found)
            features = [operation.feature for operation in found]
            reasons.append(
                Reason(
                    clause.text, clause.action, meant.matched, features, meant.nearest, meant.alternatives, clause.note
                )
            )
        kept = list(operations.values())[:MAX_OPERATIONS]
        return PromptPlan(EditPlan(dictionary=self.dictionary, operations=kept), reasons)

    def _after(self, picture: Picture, operations: Sequence[Operation]) -> Picture:
        """The picture as operations that set features leave it."""
        activations = picture.activations.copy()
        for operation in operations:
            activations[operation.feature] = operation.strength * self.atlas.mean_activation[operation.feature]
        return Picture(activations, picture.latent + (activations - picture.activations) @ self.rows)

    def _operations(self, clause: Clause, seeds: Sequence[int], picture: Picture | None) -> list[Operation]:
        if not seeds and not clause.words and clause.action != "replace" and picture is not None:
            seeds = self._worn(clause.place, np.ones(len(self.atlas), bool), picture.activations)
        if clause.action == "replace" and seeds:
            return self._replace(clause, seeds, picture)
        if clause.action == "remove" and picture is not None:
            term = self._term(seeds, clause) if clause.words else self._shown(picture).get(clause.place)
            if term is not None:
                return self._removed(term, seeds, picture)
        if not seeds:
            return []
        here = np.zeros(len(self.atlas), np.float32) if picture is None else picture.activations
        move = self._direction(seeds)
        if clause.action == "raise":
            return self._set(0.5 * clause.amount * move, here)
        if picture is not None and not any(here[i] > 0 for i in seeds):
            return []
        return self._set((-1.0 if clause.action == "remove" else -0.5 * clause.amount) * move, here)

    def _replace(self, clause: Clause, seeds: Sequence[int], picture: Picture | None) -> list[Operation]:
        if picture is None:
            cleared = self._usual(self.where.competing(seeds))
            return [*self._set(self._direction(seeds), np.zeros(len(self.atlas), np.float32)), *cleared]
        if (term := self._term(seeds, clause)) is not None:
            return self._remembered(term, picture)
        worn = self._worn(self.atlas.places[seeds[0]], self.where.competing(seeds), picture.activations)
        if set(worn) & set(seeds):
            return []
        move = self._direction(seeds)
        return self._set(move - self._direction(worn) if worn else move, picture.activations)

    def _term(self, seeds: Sequence[int], clause: Clause) -> int | None:
        """What the request means in the words of captions: its own words, if the captions of a seed's pictures say
        them, else the first seed's label that they bear out. None if there is none."""
        memory = self.atlas.memory
        own = [Mention(self.atlas.places[seed], clause.words) for seed in seeds]
        labels = [Mention(self.atlas.places[seed], tuple(self.atlas.words[seed].split())) for seed in seeds]
        for seed, mention in zip([*seeds, *seeds], own + labels, strict=True):
            term = memory.number.get(mention)
            if term is not None and memory.held[seed, term] >= BORNE_OUT:
                return term
        return None

    def _remembered(self, term: int, picture: Picture) -> list[Operation]:
        """Operations that replace what the picture is read to show in the term's place; none if it is there already."""
        memory, place = self.atlas.memory, self.atlas.memory.terms[term].place
        shown = self._shown(picture)
        if place not in shown or already_there(memory, term, shown[place]):
            return []
        beside = self.where.beside(place)
        by_pair = [
            looks.move(place, term, shown[place], shown[looks.beside(place)])
            for looks in self._looks
            if place in (looks.one, looks.other)
        ]
        move = next((move for move in by_pair if move is not None), None)
        if move is None:
            move = move_between(memory, term, shown[place], shown.get(beside) if beside else None)
        return self._set(move, picture.activations, self.where.acting(place, beside))

    def _removed(self, term: int, seeds: Sequence[int], picture: Picture) -> list[Operation]:
        """Operations that take what a term means out of the picture; none if neither reading nor seeds show it.

        Where captions know a word for nothing being there, it takes the term's place. Elsewhere the mean of all
        pictures does, within the cells in which features of the term act.
        """
        memory, place = self.atlas.memory, self.atlas.memory.terms[term].place
        shown = self._shown(picture)
        read = place in shown and already_there(memory, term, shown[place])
        if not read and not any(picture.activations[seed] > 0 for seed in seeds):
            return []
        if (nothing := self._nothing(place)) is not None:
            return self._remembered(nothing, picture)
        beside = self.where.beside(place)
        move = move_between(memory, None, term, shown.get(beside) if beside else None)
        operations = self._set(move, picture.activations, self.where.acting(place, beside))
        mask = self.where.mask(self._labelled_as(term))
        return [operation.model_copy(update={"mask": mask}) for operation in operations]

    def _labelled_as(self, term: int) -> list[int]:
        """The features whose label is a term."""
        place, words = self.atlas.memory.terms[term].place, " ".join(self.atlas.memory.terms[term].words)
        return [i for i, said in enumerate(self.atlas.words) if said == words and self.atlas.places[i] == place]

    def _nothing(self, place: str | None) -> int | None:
        """What captions say of a place in which there is nothing."""
        said = (self.atlas.memory.number.get(Mention(place, (word,))) for word in self.atlas.vocabulary.nothing)
        return next((term for term in said if term is not None and self.atlas.memory.whole[term]), None)

    def _shown(self, picture: Picture) -> dict[str | None, int]:
        """What captions would say of each place of the picture: the number of a term by place."""
        shown = self.atlas.memory.read(picture.latent)
        for looks in self._looks:
            shown |= looks.read(picture.latent, shown)
        return shown

    @cached_property
    def _looks(self) -> list[Looks]:
        found = [looks_of(self.atlas.memory, one, other) for one, other in self.where.on_each_other()]
        return [looks for looks in found if looks is not None]

    @cached_property
    def where(self) -> Whereabouts:
        return Whereabouts(self.atlas)

    def _direction(self, seeds: Sequence[int]) -> np.ndarray:
        """How latents differ from the average where the seeds are strong, surer labels counting more: [latent_dim]."""
        weights = np.maximum(self.atlas.confidence[list(seeds)], 1e-3) ** 4
        return np.average(self.atlas.direction[list(seeds)].astype(np.float32), axis=0, weights=weights)

    def _set(self, move: np.ndarray, activations: np.ndarray, among: np.ndarray | None = None) -> list[Operation]:
        """Operations that make a move, each setting one feature, `among` some, bool [features], or all."""
        among = np.ones(len(activations), bool) if among is None else among
        delta = fit_move(move, np.where(among, activations, 0.0), self.rows, self._usable & among, self.group)
        changed = np.flatnonzero(delta)
        after = np.maximum(activations + delta, 0.0) / np.maximum(self.atlas.mean_activation, 1e-6)
        order = changed[np.argsort(-np.abs(delta[changed]), kind="stable")]
        return [
            Operation(op="set", feature=int(i), strength=round(min(float(after[i]), 1000.0), 4))
            if after[i] >= 5e-5
            else Operation(op="ablate", feature=int(i), strength=0.0)
            for i in order
        ]

    def _worn(self, place: str | None, among: np.ndarray, activations: np.ndarray) -> list[int]:
        """The features of the label that is strongest in a place of the picture; none if no labelled one is active."""
        strength: dict[str, float] = defaultdict(float)
        for i in np.flatnonzero((activations > 0) & among & self._labelled):
            if place is None or self.atlas.places[i] == place:
                strength[self.atlas.labels[i]] += float(activations[i] * self.atlas.confidence[i])
        if not strength:
            return []
        label = max(strength, key=lambda name: strength[name])
        return [i for i, other in enumerate(self.atlas.labels) if other == label]

    def _usual(self, competing: np.ndarray) -> list[Operation]:
        """Take out the features that fill a place most in the average picture."""
        usual = np.where(competing, self.atlas.density * self.atlas.mean_activation, 0.0)
        order = np.argsort(-usual, kind="stable")[: MAX_OPERATIONS // 4]
        return [Operation(op="ablate", feature=int(i), strength=0.0) for i in order if usual[i] > 0]

    @cached_property
    def _labelled(self) -> np.ndarray:
        return self.atlas.confidence * np.array([bool(words) for words in self.atlas.words]) > 0

    @cached_property
    def _usable(self) -> np.ndarray:
        return self.atlas.density >= FREQUENT


def _idle(requests: Sequence[Request], done: Sequence[Reason]) -> bool:
    """Whether the next request takes something out of a place that one of those done has emptied, or that a later one
    fills: what is left in an emptied place would be taken for something that is there."""
    request = requests[len(done)]
    if request.clause.action != "remove":
        return False
    acted = zip(requests, done, strict=False)
    before = [other.clause.action for other, reason in acted if other.place == request.place and reason.features]
    after = [other for other in requests[len(done) + 1 :] if other.place == request.place]
    filled = any(other.clause.action == "replace" and other.found.matched for other in after)
    return filled or before[-1:] == ["remove"]
