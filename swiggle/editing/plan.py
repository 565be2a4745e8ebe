"""EditPlan: what an edit does, as a short list of operations on features.

The same JSON in Python, over HTTP, in a share link and on the page:

    {"version": 1, "dictionary": "8b1f…", "operations": [{"op": "set", "feature": 176, "strength": 1.5, "mask": null}]}

Strength is in feature-relative units: 1.0 is the feature's mean activation where it is active. The JSON schema,
`EditPlan.model_json_schema()`, is kept in docs/edit-plan.schema.json.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from swiggle.errors import SwiggleError

MAX_OPERATIONS = 256
MASK_SIZE = 8

Cell = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Row = Annotated[list[Cell], Field(min_length=MASK_SIZE, max_length=MASK_SIZE)]
Mask = Annotated[list[Row], Field(min_length=MASK_SIZE, max_length=MASK_SIZE)]


class PlanError(SwiggleError, ValueError):
    """A plan that does not fit the bundle: a feature it lacks, a picture to copy from that was not given."""


class OtherDictionary(PlanError):
    """A plan whose features are those of another dictionary."""


class Operation(BaseModel):
    """One change of one feature's activation f, with a its mean activation where active:

    `add` f + strength * a (never below zero), `set` strength * a, `scale` strength * f, `ablate` 0, `swap` the
    activation it has in the picture `from`. A mask, 8 x 8 over the picture from 0 to 1, keeps the change to a part.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    op: Literal["add", "set", "scale", "ablate", "swap"]
    feature: int = Field(ge=0)
    strength: FiniteFloat = Field(default=1.0, ge=-1000.0, le=1000.0)
    mask: Mask | None = None
    source: str | None = Field(default=None, alias="from", description="swap only: a picture or a session")

    @model_validator(mode="after")
    def _swap_names_a_picture(self) -> "Operation":
        if (self.op == "swap") != (self.source is not None):
            raise ValueError("`from` is needed by swap and by no other operation")
        return self


class EditPlan(BaseModel):
    """Operations in the order in which they are applied."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    dictionary: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{16}$",
        description="the id of the dictionary whose features are meant; a bundle with another one refuses the plan",
    )
    operations: list[Operation] = Field(default_factory=list, max_length=MAX_OPERATIONS)

    def then(self, other: "EditPlan") -> "EditPlan":
        """This plan followed by another. Raises `PlanError` beyond 256 operations and for two dictionaries."""
        operations = [*self.operations, *other.operations]
        if len(operations) > MAX_OPERATIONS:
            raise PlanError(f"a plan may have {MAX_OPERATIONS} operations, not {len(operations)}")
        if None not in (self.dictionary, other.dictionary) and self.dictionary != other.dictionary:
            raise PlanError(f"a plan of dictionary {self.dictionary} cannot go on with one of {other.dictionary}")
        return EditPlan(dictionary=self.dictionary or other.dictionary, operations=operations)

    def check(self, dictionary: str | None) -> None:
        """Raises `OtherDictionary` where the plan names another dictionary than this one."""
        if None not in (self.dictionary, dictionary) and self.dictionary != dictionary:
            raise OtherDictionary(
                f"this plan is of another dictionary, {self.dictionary}; this bundle has {dictionary}"
            )

    def undone(self, activations: np.ndarray, mean_activation: np.ndarray) -> "EditPlan":
        """The plan that takes this one back: `plan.then(plan.undone(...))` leaves a picture as it was.

        activations: [features] of the picture that this plan is applied to, unedited; mean_activation: [features], what
        strengths are relative to. Raises `PlanError` for a feature that is active here but has no mean activation, so
        that no strength stands for what it was.
        """
        touched = {(o.feature, str(o.mask)): o for o in self.operations}
        undo = [_as_it_was(o, activations, mean_activation) for o in touched.values()]
        return EditPlan(dictionary=self.dictionary, operations=undo)


def _as_it_was(operation: Operation, activations: np.ndarray, mean_activation: np.ndarray) -> Operation:
    was, unit = float(activations[operation.feature]), float(mean_activation[operation.feature])
    if was == 0.0:
        return Operation(op="ablate", feature=operation.feature, strength=0.0, mask=operation.mask)
    if unit <= 0.0:
        raise PlanError(f"feature {operation.feature} has no mean activation that what it was could be measured in")
    return Operation(op="set", feature=operation.feature, strength=was / unit, mask=operation.mask)
