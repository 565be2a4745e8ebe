"""From a prompt to an EditPlan, by retrieving features through their labels.

For each request the label index gives the features whose label means what was said: the *seeds*. Where seeds are
strong, latents differ from the average in a way of their own, and that difference, taken over the training pictures,
is the direction of what was asked. What the picture already has in that place (the labels of its active features that
act there) gives the direction to leave. The wished-for move is expressed in a few dozen features by least squares
(`swiggle.editing.fit`), so the plan stays a list of sliders. Directions come from latents and activations alone; the
labels alone decide which features a word means.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import LabelIndex, Match
from swiggle.editing.clauses import Clause, read_clauses
from swiggle.editing.fit import fit_move
from swiggle.editing.plan import MAX_OPERATIONS, EditPlan, Operation

MATCH = 0.6
"""Cosine similarity below which a label is not what was meant."""
SAME = 0.03
"""Labels this close to the best one mean the same."""
GROUP = 32
"""Features that one request may raise at most."""
OVERLAP = 0.55
"""Cosine of two footprints from which features without a named place act on the same part of the picture."""
FREQUENT = 5e-4
"""Share of the pictures that a feature must fire on to be raised."""
NEAREST = 5


@dataclass(frozen=True)
class Reason:
    """Why a request led to operations, or to none."""

    text: str
    action: str
    matched: list[Match]
    features: list[int]
    nearest: list[str]
    """Labels that come closest, where nothing matched."""


@dataclass(frozen=True)
class PromptPlan:
    plan: EditPlan = field(default_factory=EditPlan)
    reasons: list[Reason] = field(default_factory=list)


@dataclass
class Planner:
    """Plans edits with one atlas, its label index and the dictionary's decoder rows [features, latent_dim]."""

    atlas: Atlas
    index: LabelIndex
    rows: np.ndarray

    def plan(self, prompt: str, activations: np.ndarray | None = None) -> PromptPlan:
        """The plan for a prompt on a picture with these activations float32 [features].

        Without a picture the plan adds what is asked and takes out the features that usually fill the place. A
        request that no label matches adds no operation, and its reason holds the nearest labels.
        """
        operations: dict[int, Operation] = {}
        reasons = []
        current = None if activations is None else activations.copy()
        for clause in read_clauses(prompt, self.atlas.vocabulary):
            matched, nearest = self._retrieve(clause)
            found = self._operations(clause, [m.feature for m in matched], current)
            # Later requests see the picture as the earlier ones leave it, so the last word on a feature counts.
            operations.update({operation.feature: operation for operation in found})
            if current is not None:
                for operation in found:
                    current[operation.feature] = operation.strength * self.atlas.mean_activation[operation.feature]
            reasons.append(Reason(clause.text, clause.action, matched, [o.feature for o in found], nearest))
        return PromptPlan(EditPlan(operations=list(operations.values())[:MAX_OPERATIONS]), reasons)

    def _retrieve(self, clause: Clause) -> tuple[list[Match], list[str]]:
        if not clause.words:
            return [], []
        found: list[Match] = []
        for place in [clause.place] if clause.place else [self.atlas.vocabulary.default_place, None]:
            found = self.index.search(" ".join(clause.words), place)
            if found and found[0].score >= MATCH:
                return [m for m in found if m.score >= found[0].score - SAME], []
        return [], list(dict.fromkeys(match.label for match in found))[:NEAREST]

    def _operations(self, clause: Clause, seeds: Sequence[int], activations: np.ndarray | None) -> list[Operation]:
        if not seeds and not clause.words and activations is not None:
            seeds = self._worn(clause.place, np.ones(len(self.atlas), bool), activations)
        if not seeds:
            return []
        here = np.zeros(len(self.atlas), np.float32) if activations is None else activations
        move = self._direction(seeds)
        match clause.action:
            case "replace":
                competing = self._competing(seeds)
                worn = self._worn(self.atlas.places[seeds[0]], competing, here)
                if set(worn) & set(seeds):
                    return []
                if worn:
                    move = move - self._direction(worn)
                cleared = self._usual(competing) if activations is None else []
                return [*self._set(move, here), *cleared]
            case "raise":
                return self._set(0.5 * clause.amount * move, here)
            case "lower" | "remove":
                if activations is not None and not any(activations[i] > 0 for i in seeds):
                    return []
                return self._set((-1.0 if clause.action == "remove" else -0.5 * clause.amount) * move, here)

    def _direction(self, seeds: Sequence[int]) -> np.ndarray:
        """How latents differ from the average where the seeds are strong, surer labels counting more: [latent_dim]."""
        weights = np.maximum(self.atlas.confidence[list(seeds)], 1e-3) ** 4
        return np.average(self.atlas.direction[list(seeds)].astype(np.float32), axis=0, weights=weights)

    def _set(self, move: np.ndarray, activations: np.ndarray) -> list[Operation]:
        """Operations that make a move, each setting one feature."""
        delta = fit_move(move, activations, self.rows, self._usable, GROUP)
        changed = np.flatnonzero(delta)
        after = np.maximum(activations + delta, 0.0) / np.maximum(self.atlas.mean_activation, 1e-6)
        order = changed[np.argsort(-np.abs(delta[changed]), kind="stable")]
        return [
            Operation(op="set", feature=int(i), strength=round(min(float(after[i]), 1000.0), 4))
            if after[i] >= 5e-5
            else Operation(op="ablate", feature=int(i), strength=0.0)
            for i in order
        ]

    def _competing(self, seeds: Sequence[int]) -> np.ndarray:
        """Which features act where the seeds act: of the same place, or, where a label names none, on the same part
        of the picture. bool [features]."""
        places, footprints = self._places, self._footprints
        where = places[seeds[0]]
        part = footprints[list(seeds)].mean(axis=0)
        norms = np.linalg.norm(footprints, axis=1) * np.linalg.norm(part)
        overlapping = footprints @ part >= OVERLAP * np.maximum(norms, 1e-12)
        return np.where((places != "") & (where != ""), places == where, overlapping)

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
    def _places(self) -> np.ndarray:
        return np.array([place or "" for place in self.atlas.places])

    @cached_property
    def _footprints(self) -> np.ndarray:
        return self.atlas.footprint.reshape(len(self.atlas), -1).astype(np.float32)

    @cached_property
    def _labelled(self) -> np.ndarray:
        return self.atlas.confidence * np.array([bool(words) for words in self.atlas.words]) > 0

    @cached_property
    def _usable(self) -> np.ndarray:
        return self.atlas.density >= FREQUENT
