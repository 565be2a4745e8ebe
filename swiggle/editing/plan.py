"""EditPlan: what an edit does, as a short list of operations on features.

The same JSON in Python, over HTTP, in a share link and on the page:

    {"version": 1, "operations": [{"op": "set", "feature": 176, "strength": 1.5, "mask": null}]}

Strength is in feature-relative units: 1.0 is the feature's mean activation where it is active. The JSON schema,
`EditPlan.model_json_schema()`, is kept in docs/edit-plan.schema.json.
"""

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

MAX_OPERATIONS = 256
MASK_SIZE = 8

Cell = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Row = Annotated[list[Cell], Field(min_length=MASK_SIZE, max_length=MASK_SIZE)]
Mask = Annotated[list[Row], Field(min_length=MASK_SIZE, max_length=MASK_SIZE)]


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
    operations: list[Operation] = Field(default_factory=list, max_length=MAX_OPERATIONS)

    def then(self, other: "EditPlan") -> "EditPlan":
        """This plan followed by another. Raises ValueError beyond 256 operations."""
        return EditPlan(operations=[*self.operations, *other.operations])

    def undone(self, activations: np.ndarray, mean_activation: np.ndarray) -> "EditPlan":
        """The plan that takes this one back: `plan.then(plan.undone(...))` leaves a picture as it was.

        activations: [features] of the picture that this plan is applied to, unedited; mean_activation: [features], what
        strengths are relative to. Raises ValueError for a feature that is active here but has no mean activation, so
        that no strength stands for what it was.
        """
        touched = {(o.feature, str(o.mask)): o for o in self.operations}
        return EditPlan(operations=[_as_it_was(o, activations, mean_activation) for o in touched.values()])


def _as_it_was(operation: Operation, activations: np.ndarray, mean_activation: np.ndarray) -> Operation:
    was, unit = float(activations[operation.feature]), float(mean_activation[operation.feature])
    if was == 0.0:
        return Operation(op="ablate", feature=operation.feature, strength=0.0, mask=operation.mask)
    if unit <= 0.0:
        raise ValueError(f"feature {operation.feature} has no mean activation that what it was could be measured in")
    return Operation(op="set", feature=operation.feature, strength=was / unit, mask=operation.mask)
