import json
import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from swiggle.editing.plan import MAX_OPERATIONS, EditPlan, Operation, PlanError

MASK = [[1.0] * 8 for _ in range(8)]


def test_the_documented_json_is_read_and_written() -> None:
    text = '{"version": 1, "operations": [{"op": "set", "feature": 176, "strength": 1.5, "mask": null}]}'
    plan = EditPlan.model_validate_json(text)
    assert plan.operations[0] == Operation(op="set", feature=176, strength=1.5)
    assert EditPlan.model_validate_json(plan.model_dump_json(by_alias=True)) == plan
    assert EditPlan.model_validate_json('{"operations": []}') == EditPlan()
    swap = Operation.model_validate({"op": "swap", "feature": 1, "from": "a-session"})
    assert swap.source == "a-session"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "explode", "feature": 1},
        {"op": "set"},
        {"op": "set", "feature": -1},
        {"op": "set", "feature": 1, "strength": math.nan},
        {"op": "set", "feature": 1, "strength": math.inf},
        {"op": "set", "feature": 1, "strength": "1e999"},
        {"op": "set", "feature": 1, "mask": [[1.0]]},
        {"op": "set", "feature": 1, "mask": [[2.0] * 8] * 8},
        {"op": "set", "feature": 1, "colour": "red"},
        {"op": "swap", "feature": 1},
        {"op": "set", "feature": 1, "from": "a-session"},
    ],
)
def test_bad_operations_are_refused(operation: dict) -> None:
    with pytest.raises(ValidationError):
        EditPlan.model_validate({"operations": [operation]})


def test_limits_and_composition() -> None:
    one = Operation(op="ablate", feature=1)
    many = EditPlan(operations=[one] * MAX_OPERATIONS)
    with pytest.raises(PlanError, match="257"):
        many.then(EditPlan(operations=[one]))
    with pytest.raises(ValidationError):
        EditPlan.model_validate({"version": 2})
    assert len(EditPlan(operations=[one]).then(EditPlan(operations=[one])).operations) == 2


def test_undoing_names_what_it_cannot_put_back() -> None:
    edit = EditPlan(operations=[Operation(op="ablate", feature=1), Operation(op="set", feature=0, strength=2.0)])
    back = edit.undone(np.array([0.0, 3.0]), np.array([1.0, 2.0]))
    assert [(o.op, o.feature, o.strength) for o in back.operations] == [("set", 1, 1.5), ("ablate", 0, 0.0)]
    with pytest.raises(ValueError, match="feature 1"):
        edit.undone(np.array([0.0, 3.0]), np.zeros(2))


def test_the_schema_in_the_docs_is_that_of_the_code() -> None:
    kept = Path(__file__).parents[2] / "docs/edit-plan.schema.json"
    assert json.loads(kept.read_text()) == EditPlan.model_json_schema(), (
        "write it anew: python -c 'import json; from swiggle.editing.plan import EditPlan; "
        "print(json.dumps(EditPlan.model_json_schema(), indent=1))' > docs/edit-plan.schema.json"
    )


def test_a_plan_keeps_to_one_dictionary() -> None:
    one, other = "1" * 16, "2" * 16
    plan = EditPlan(dictionary=one, operations=[Operation(op="ablate", feature=1)])
    assert plan.then(EditPlan()).dictionary == EditPlan().then(plan).dictionary == one
    assert plan.undone(np.zeros(2), np.ones(2)).dictionary == one
    with pytest.raises(PlanError, match=other):
        plan.then(EditPlan(dictionary=other))
    plan.check(one)
    EditPlan().check(one)
    with pytest.raises(PlanError, match=other):
        plan.check(other)
