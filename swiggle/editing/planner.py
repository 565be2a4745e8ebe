"""From a prompt to an EditPlan, by retrieving features through their labels.

For each request the label index gives the features whose label means what was said. They name the *seeds*; what is
raised is the seeds' natural company: the features that are much stronger than usual where the seeds are strong, at
the level they have there. What is lowered is what stands in the way in this picture: active features that act on the
same part of it and are never that strong beside the seeds. Both come from activations and footprints alone, so they
are learnt from pictures, and the labels alone decide which features a word means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from swiggle.atlas.atlas import Atlas
from swiggle.atlas.index import LabelIndex, Match
from swiggle.editing.clauses import Clause, read_clauses
from swiggle.editing.plan import MASK_SIZE, MAX_OPERATIONS, EditPlan, Operation

MATCH = 0.6
"""Cosine similarity below which a label is not what was meant."""
SAME = 0.03
"""Labels this close to the best one mean the same."""
GROUP = 32
"""Features that one request may raise at most."""
UNUSUAL = 2.0
"""Company of the seeds: features at least this many times stronger beside them than on average ..."""
REGULAR = 0.3
"""... and at this share of their own usual strength, so that chance company stays out."""
OVERLAP = 0.55
"""Cosine of two footprints from which features act on the same part of the picture."""
CELL = 0.45
"""A cell belongs to an edit's mask from this share of what happens in the cell where most does."""
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
    """Plans edits with one atlas and its label index."""

    atlas: Atlas
    index: LabelIndex

    def plan(self, prompt: str, activations: np.ndarray | None = None) -> PromptPlan:
        """The plan for a prompt on a picture with these activations float32 [features].

        Without a picture the plan takes out the features that usually fill the place instead of those that do here.
        A request that no label matches adds no operation, and its reason holds the nearest labels.
        """
        operations: dict[int, Operation] = {}
        reasons = []
        for clause in read_clauses(prompt, self.atlas.vocabulary):
            matched, nearest = self._retrieve(clause)
            found = self._operations(clause, [m.feature for m in matched], activations)
            # A later request about the same feature wins.
            operations.update({operation.feature: operation for operation in found})
            reasons.append(Reason(clause.text, clause.action, matched, [o.feature for o in found], nearest))
        return PromptPlan(EditPlan(operations=list(operations.values())[:MAX_OPERATIONS]), reasons)

    def _retrieve(self, clause: Clause) -> tuple[list[Match], list[str]]:
        if not clause.words:
            return [], []
        query = " ".join(clause.words)
        found: list[Match] = []
        for place in [clause.place] if clause.place else [self.atlas.vocabulary.default_place, None]:
            found = self.index.search(query, place)
            if found and found[0].score >= MATCH:
                return [m for m in found if m.score >= found[0].score - SAME], []
        return [], list(dict.fromkeys(match.label for match in found))[:NEAREST]

    def _operations(self, clause: Clause, seeds: Sequence[int], activations: np.ndarray | None) -> list[Operation]:
        if not seeds:
            return self._without_seeds(clause, activations)
        levels = self._natural_levels(seeds)
        where = self.atlas.places[seeds[0]]
        group = self._company(levels, where)
        present = group if activations is None else [i for i in group if activations[i] > 0]
        match clause.action:
            case "replace":
                raised = [Operation(op="set", feature=i, strength=self._strength(i, levels[i])) for i in group]
                return self._masked(raised + self._cleared(group, where, levels, activations), activations)
            case "raise":
                return [
                    Operation(op="add", feature=i, strength=round(clause.amount * self._strength(i, levels[i]), 4))
                    for i in group
                ]
            case "lower":
                kept = round(max(0.0, 1.0 - 0.5 * clause.amount), 4)
                return [Operation(op="scale", feature=i, strength=kept) for i in present]
            case "remove":
                return [Operation(op="ablate", feature=i) for i in present]

    def _without_seeds(self, clause: Clause, activations: np.ndarray | None) -> list[Operation]:
        """ "No glasses", "less background": every labelled feature of the place that is active."""
        if clause.words or activations is None or clause.action == "replace":
            return []
        features = [i for i in np.flatnonzero(activations > 0) if self.atlas.places[i] == clause.place]
        if clause.action == "remove":
            return [Operation(op="ablate", feature=int(i)) for i in features]
        factor = 1.0 + 0.5 * clause.amount * (1 if clause.action == "raise" else -1)
        return [Operation(op="scale", feature=int(i), strength=max(0.0, factor)) for i in features]

    def _natural_levels(self, seeds: Sequence[int]) -> np.ndarray:
        """Mean activation of every feature where the seeds are strong, surer labels counting more: [features]."""
        weights = np.maximum(self.atlas.confidence[list(seeds)], 1e-3) ** 2
        return np.average(self.atlas.levels[list(seeds)].astype(np.float32), axis=0, weights=weights)

    def _company(self, levels: np.ndarray, where: str | None) -> list[int]:
        usual = self.atlas.density * self.atlas.mean_activation
        regular = (levels >= UNUSUAL * usual) & (levels >= REGULAR * self.atlas.mean_activation)
        regular &= ~self._named | self._of_place(where)
        gain = np.where(regular, levels - usual, 0.0)
        order = np.argsort(-gain, kind="stable")[:GROUP]
        return [int(i) for i in order if gain[i] > 0 and self._strength(int(i), levels[i]) > 0]

    def _cleared(
        self, group: Sequence[int], where: str | None, levels: np.ndarray, activations: np.ndarray | None
    ) -> list[Operation]:
        atlas = self.atlas
        usual = atlas.density * atlas.mean_activation
        gains = np.maximum(levels - usual, 0.0)[list(group)]
        place = np.tensordot(gains, atlas.footprint[list(group)].astype(np.float32), axes=1).ravel()
        footprints = atlas.footprint.reshape(len(usual), -1).astype(np.float32)
        norms = np.linalg.norm(footprints, axis=1) * np.linalg.norm(place)
        overlap = footprints @ place / np.maximum(norms, 1e-12)
        alike = np.where(self._named, self._of_place(where), overlap >= OVERLAP)
        competes = alike & (levels < usual / UNUSUAL)
        competes[list(group)] = False
        weight = usual * overlap if activations is None else activations
        order = [int(i) for i in np.argsort(-weight, kind="stable") if competes[i] and weight[i] > 0]
        return [Operation(op="ablate", feature=i) for i in order[: MAX_OPERATIONS - GROUP]]

    @cached_property
    def _named(self) -> np.ndarray:
        """Which features have a label that names a place: bool [features]."""
        return np.array([place is not None for place in self.atlas.places])

    def _of_place(self, place: str | None) -> np.ndarray:
        return np.array([other == place for other in self.atlas.places])

    def _masked(self, operations: list[Operation], activations: np.ndarray | None) -> list[Operation]:
        """The same operations, kept to the cells of the picture in which they do most of what they do."""
        before = np.zeros(len(self.atlas)) if activations is None else activations
        moved = np.zeros_like(self.atlas.footprint[0], dtype=np.float32)
        for operation in operations:
            i = operation.feature
            after = operation.strength * self.atlas.mean_activation[i] if operation.op == "set" else 0.0
            moved += abs(after - before[i]) * self.atlas.footprint[i].astype(np.float32)
        cell = len(moved) // MASK_SIZE
        cells = moved.reshape(MASK_SIZE, cell, MASK_SIZE, cell).mean(axis=(1, 3))
        mask = (cells >= CELL * cells.max()).astype(float).tolist()
        return [operation.model_copy(update={"mask": mask}) for operation in operations]

    def _strength(self, feature: int, level: float) -> float:
        return round(float(level) / max(float(self.atlas.mean_activation[feature]), 1e-12), 4)
