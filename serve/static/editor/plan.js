// Plans as values: every function answers a new plan. Strengths are in units of a feature's usual activation.

const KINDS = new Set(["add", "set", "scale", "ablate", "swap"]);
const MOST_OPERATIONS = 256;

export const emptyPlan = () => ({ version: 1, operations: [] });

export const operationOn = (plan, feature) => plan.operations.find((operation) => operation.feature === feature);

/** The strength a feature has after an operation, from the strength `base` it has in the picture. */
export function strengthAfter(operation, base) {
  switch (operation?.op) {
    case "set":
      return operation.strength;
    case "ablate":
      return 0;
    case "add":
      return Math.max(0, base + operation.strength);
    case "scale":
      return base * operation.strength;
    default:
      return base;
  }
}

/** The plan with one operation of a feature in place of whatever it had. */
export function withOperation(plan, operation) {
  const others = plan.operations.some((other) => other.feature === operation.feature);
  const operations = others
    ? plan.operations.map((other) => (other.feature === operation.feature ? operation : other))
    : [...plan.operations, operation];
  return { version: 1, operations };
}

export const withStrength = (plan, feature, strength, mask = null) =>
  withOperation(plan, { op: "set", feature, strength, mask });

export const withoutFeature = (plan, feature) => ({
  version: 1,
  operations: plan.operations.filter((operation) => operation.feature !== feature),
});

export const ablated = (plan, feature, mask = null) =>
  withOperation(plan, { op: "ablate", feature, strength: 0, mask });

/** Everything that is active is taken out, except one feature. */
export function solo(plan, feature, active, mask = null) {
  const kept = operationOn(plan, feature);
  const operations = active
    .filter((id) => id !== feature)
    .map((id) => ({ op: "ablate", feature: id, strength: 0, mask }));
  return { version: 1, operations: [...(kept ? [kept] : []), ...operations].slice(0, MOST_OPERATIONS) };
}

export const withMask = (plan, mask) => ({
  version: 1,
  operations: plan.operations.map((operation) => ({ ...operation, mask })),
});

/** The plan itself, if it is one. Throws an Error that says what is wrong. */
export function checkedPlan(plan) {
  if (plan?.version !== 1 && plan?.version !== undefined) throw new Error("this plan is of another version");
  if (!Array.isArray(plan?.operations) || plan.operations.length > MOST_OPERATIONS)
    throw new Error("this is not a plan");
  for (const operation of plan.operations) {
    if (!KINDS.has(operation.op) || !Number.isInteger(operation.feature) || operation.feature < 0) {
      throw new Error("this plan holds an operation that is not known");
    }
    if (operation.strength !== undefined && !Number.isFinite(operation.strength))
      throw new Error("a strength is not a number");
  }
  return { version: 1, operations: plan.operations.map((operation) => ({ strength: 1, mask: null, ...operation })) };
}

export const samePlan = (a, b) => JSON.stringify(a) === JSON.stringify(b);
