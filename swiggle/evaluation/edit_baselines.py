"""What edits by prompt are measured against: plans that know less.

`nearest_label` raises the one feature whose label is most like what was said to its natural strength. `random_features`
does what the plan does, to other features.
"""

import numpy as np

from swiggle.editing.composer import PromptPlan
from swiggle.editing.plan import EditPlan, Operation


def nearest_label(made: PromptPlan) -> EditPlan:
    """One feature at strength 1; none where no label matched."""
    matched = [match for reason in made.reasons for match in reason.matched[:1]]
    return EditPlan(operations=[Operation(op="set", feature=match.feature, strength=1.0) for match in matched])


def random_features(made: PromptPlan, usable: np.ndarray, rng: np.random.Generator) -> EditPlan:
    """The plan's operations on as many features drawn from the usable ones, int [n]."""
    operations = made.plan.operations
    drawn = rng.choice(usable, size=len(operations), replace=False)
    return EditPlan(
        operations=[
            operation.model_copy(update={"feature": int(feature)})
            for operation, feature in zip(operations, drawn, strict=True)
        ]
    )
