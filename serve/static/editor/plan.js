// Plans as values: every function answers a new plan. Strengths are in units of a feature's usual activation.

/** @import { Mask, Operation, Plan } from "../shared/types.js" */

const KINDS = new Set(["add", "set", "scale", "ablate", "swap"]);
const MOST_OPERATIONS = 256;

/** @returns {Plan} */
export const emptyPlan = () => ({ version: 1, operations: [] });

/**
 * @param {Plan} plan
 * @param {number} feature
 */
export const operationOn = (plan, feature) => plan.operations.find((operation) => operation.feature === feature);

/**
 * The strength a feature has after an operation, from the strength `base` it has in the picture.
 * @param {Operation | undefined} operation
 * @param {number} base
 */
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

/**
 * The plan with one operation of a feature in place of whatever it had.
 * @param {Plan} plan
 * @param {Operation} operation
 * @returns {Plan}
 */
export function withOperation(plan, operation) {
  const others = plan.operations.some((other) => other.feature === operation.feature);
  const operations = others
    ? plan.operations.map((other) => (other.feature === operation.feature ? operation : other))
    : [...plan.operations, operation];
  return { version: 1, operations };
}

/**
 * @param {Plan} plan
 * @param {number} feature
 * @param {number} strength
 * @param {Mask | null} [mask]
 */
export const withStrength = (plan, feature, strength, mask = null) =>
  withOperation(plan, { op: "set", feature, strength, mask });

/**
 * @param {Plan} plan
 * @param {number} feature
 * @returns {Plan}
 */
export const withoutFeature = (plan, feature) => ({
  version: 1,
  operations: plan.operations.filter((operation) => operation.feature !== feature),
});

/**
 * @param {Plan} plan
 * @param {number} feature
 * @param {Mask | null} [mask]
 */
export const ablated = (plan, feature, mask = null) =>
  withOperation(plan, { op: "ablate", feature, strength: 0, mask });

/**
 * Everything that is active is taken out, except one feature.
 * @param {Plan} plan
 * @param {number} feature
 * @param {number[]} active
 * @param {Mask | null} [mask]
 * @returns {Plan}
 */
export function solo(plan, feature, active, mask = null) {
  const kept = operationOn(plan, feature);
  /** @type {Operation[]} */
  const operations = active
    .filter((id) => id !== feature)
    .map((id) => ({ op: "ablate", feature: id, strength: 0, mask }));
  return { version: 1, operations: [...(kept ? [kept] : []), ...operations].slice(0, MOST_OPERATIONS) };
}

/**
 * @param {Plan} plan
 * @param {Mask | null} mask
 * @returns {Plan}
 */
export const withMask = (plan, mask) => ({
  version: 1,
  operations: plan.operations.map((operation) => ({ ...operation, mask })),
});

/**
 * The plan itself, if it is one. Throws an Error that says what is wrong.
 * @param {any} plan
 * @returns {Plan}
 */
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
  /** @type {Operation[]} */
  const operations = plan.operations.map((/** @type {any} */ operation) => ({ strength: 1, mask: null, ...operation }));
  return { version: 1, operations };
}

/**
 * @param {Plan | Operation | null} a
 * @param {Plan | Operation | null} b
 */
export const samePlan = (a, b) => JSON.stringify(a) === JSON.stringify(b);
