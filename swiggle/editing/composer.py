"""From what a prompt asks for to an EditPlan for one picture: what all composers have in common.

A composer turns each request into a wished-for move of the latent, and expresses the move in a few features by bounded
least squares (`fit.py`), so that a plan stays a list of sliders. Where the moves come from tells composers apart:

`mean_difference.py`      the simple one: the mean latent where features are strong, less the mean of all
`class_mean_composer.py`  with class means of caption terms, and what the picture is read to show; the better one where
                          captions are many (docs/editing.md has the table)
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import Match
from swiggle.editing.fit import fit_move
from swiggle.editing.footprints import Footprints
from swiggle.editing.plan import MAX_OPERATIONS, EditPlan, Operation
from swiggle.prompts.clauses import Clause
from swiggle.prompts.understanding import Request

GROUP = 32
"""Features that one request may raise at most. With 16 or 64 as many edits are met, with 8 two in a
hundred fewer."""
FREQUENT = 5e-4
"""Share of the pictures that a feature must fire on to be raised. Rarer features disturb what lies beside; with four
times as much, fewer prints can be drawn."""


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
    """What whoever read the prompt could not do, or by what the request was done where no label says it."""


@dataclass(frozen=True)
class PromptPlan:
    plan: EditPlan = field(default_factory=EditPlan)
    reasons: list[Reason] = field(default_factory=list)


@dataclass(frozen=True)
class Picture:
    """What a composer sees of a picture: `activations` float32 [features] and `latent` float32 [latent_dim]."""

    activations: np.ndarray
    latent: np.ndarray


@dataclass(frozen=True)
class Composer(ABC):
    """Composes plans with one atlas and the dictionary's decoder rows [features, latent_dim]."""

    atlas: Atlas
    rows: np.ndarray
    group: int = GROUP
    dictionary: str | None = None
    """The id that plans name."""

    @abstractmethod
    def operations(self, clause: Clause, seeds: Sequence[int], picture: Picture | None) -> list[Operation]:
        """What does one request to a picture, or to any; `seeds` are the features whose label means what was said."""

    def knows(self, clause: Clause, seeds: Sequence[int]) -> bool:
        """Whether there may be a picture that a request changes."""
        return bool(seeds) or (not clause.words and clause.action != "replace")  # less of whatever is there

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
            found = [] if _idle(requests, reasons) else self.operations(clause, seeds, picture)
            # Later requests see the picture as the earlier ones leave it, so the last word on a feature counts.
            operations.update({operation.feature: operation for operation in found})
            if picture is not None and number < len(requests) - 1:
                picture = self._after(picture, found)
            features = [operation.feature for operation in found]
            note = clause.note or (self.note(clause, seeds) if found else "")
            reasons.append(
                Reason(clause.text, clause.action, meant.matched, features, meant.nearest, meant.alternatives, note)
            )
        kept = list(operations.values())[:MAX_OPERATIONS]
        return PromptPlan(EditPlan(dictionary=self.dictionary, operations=kept), reasons)

    def note(self, clause: Clause, seeds: Sequence[int]) -> str:
        """What is to be said of how a request was done."""
        return ""

    def expressed(self, move: np.ndarray, activations: np.ndarray, among: np.ndarray | None = None) -> list[Operation]:
        """A move [latent_dim] of a latent with activations [features] as operations that each set one feature, `among`
        some, bool [features], or all; those that change most first."""
        among = np.ones(len(activations), bool) if among is None else among
        delta = fit_move(move, np.where(among, activations, 0.0), self.rows, self._usable & among, self.group)
        changed = np.flatnonzero(delta)
        after = np.maximum(activations + delta, 0.0) / np.maximum(self.atlas.mean_activation, 1e-6)
        order = changed[np.argsort(-np.abs(delta[changed]), kind="stable")]
        return [_set(int(i), float(after[i])) for i in order]

    def _after(self, picture: Picture, operations: Sequence[Operation]) -> Picture:
        """The picture as operations that set features leave it."""
        activations = picture.activations.copy()
        for operation in operations:
            activations[operation.feature] = operation.strength * self.atlas.mean_activation[operation.feature]
        return Picture(activations, picture.latent + (activations - picture.activations) @ self.rows)

    @cached_property
    def where(self) -> Footprints:
        return Footprints(self.atlas)

    @cached_property
    def _usable(self) -> np.ndarray:
        return self.atlas.density >= FREQUENT


def _set(feature: int, strength: float) -> Operation:
    """Setting a feature to a strength, rounded as plans write it, within what a plan allows."""
    rounded = round(min(strength, 1000.0), 4)
    return Operation(op="set" if rounded > 0 else "ablate", feature=feature, strength=rounded)


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
