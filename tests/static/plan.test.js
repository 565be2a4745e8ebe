import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ablated,
  checkedPlan,
  emptyPlan,
  operationOn,
  samePlan,
  solo,
  strengthAfter,
  withMask,
  withOperation,
  withStrength,
  withoutFeature,
} from "../../serve/static/editor/plan.js";
import { golden } from "./golden.js";

const MASK = Array.from({ length: 8 }, (_, row) => Array(8).fill(row / 8));
const many = (count) => ({ version: 1, operations: Array(count).fill({ op: "ablate", feature: 1 }) });

test("operations lead to the strengths that Python gives", () => {
  assert.ok(golden.strengths.length > 0);
  for (const { operations, base, after } of golden.strengths) {
    const found = operations.reduce((strength, operation) => strengthAfter(operation, strength), base);
    assert.ok(Math.abs(found - after) < 1e-6, `${JSON.stringify(operations)} from ${base}: ${found}, not ${after}`);
  }
});

test("no operation, and one that only the server can do, leave a strength as it is", () => {
  assert.equal(strengthAfter(undefined, 0.4), 0.4);
  assert.equal(strengthAfter({ op: "swap", feature: 1, from: "another" }, 0.4), 0.4);
});

test("plans are read, and refused, as Python does it", () => {
  for (const { plan, read } of golden.plans) {
    if (read) assert.deepEqual(checkedPlan(plan), read);
    else assert.throws(() => checkedPlan(plan), Error, JSON.stringify(plan));
  }
});

test("a plan holds as many operations as Python allows", () => {
  assert.equal(checkedPlan(many(golden.max_operations)).operations.length, golden.max_operations);
  assert.throws(() => checkedPlan(many(golden.max_operations + 1)), /not a plan/);
});

test("what is no plan at all is refused", () => {
  for (const other of [null, undefined, 3, "plan", [], {}]) assert.throws(() => checkedPlan(other), /not a plan/);
});

test("a feature has one operation, which keeps its place", () => {
  const plan = withStrength(withStrength(withStrength(emptyPlan(), 1, 1), 2, 1), 1, 3);
  assert.deepEqual(
    plan.operations.map(({ feature, strength }) => [feature, strength]),
    [
      [1, 3],
      [2, 1],
    ],
  );
  assert.equal(operationOn(plan, 2).op, "set");
  assert.equal(operationOn(plan, 3), undefined);
  assert.deepEqual(withOperation(plan, { op: "add", feature: 2, strength: 1 }).operations[1].op, "add");
});

test("every function leaves the plan that it was given alone", () => {
  const plan = withStrength(emptyPlan(), 1, 2, MASK);
  const before = structuredClone(plan);
  withStrength(plan, 1, 5);
  ablated(plan, 1);
  withoutFeature(plan, 1);
  withMask(plan, null);
  solo(plan, 1, [1, 2]);
  checkedPlan(plan);
  assert.deepEqual(plan, before);
});

test("taking a feature out, and putting it back", () => {
  const plan = ablated(withStrength(emptyPlan(), 1, 2), 7, MASK);
  assert.deepEqual(operationOn(plan, 7), { op: "ablate", feature: 7, strength: 0, mask: MASK });
  assert.ok(samePlan(withoutFeature(plan, 7), withStrength(emptyPlan(), 1, 2)));
});

test("solo keeps what the one feature was set to and takes out all that is active beside it", () => {
  const plan = withStrength(withStrength(emptyPlan(), 4, 2), 5, 1);
  const alone = solo(plan, 4, [3, 4, 5], MASK);
  assert.deepEqual(
    alone.operations.map(({ op, feature }) => [op, feature]),
    [
      ["set", 4],
      ["ablate", 3],
      ["ablate", 5],
    ],
  );
  assert.equal(operationOn(alone, 4).mask, null);
  assert.equal(operationOn(alone, 3).mask, MASK);
  const most = Array.from({ length: 400 }, (_, id) => id);
  assert.equal(solo(plan, 4, most).operations.length, golden.max_operations);
});

test("a mask is that of every operation", () => {
  const plan = withMask(ablated(withStrength(emptyPlan(), 1, 2), 2), MASK);
  assert.deepEqual(
    plan.operations.map(({ mask }) => mask),
    [MASK, MASK],
  );
});
