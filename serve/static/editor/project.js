// What is being edited: a picture, the plan on it, and every step that led here.

import { emptyPlan, samePlan } from "./plan.js";

/** @import { Asked, Mask, Picture, Plan } from "../shared/types.js" */

/**
 * @typedef {object} Step
 * @property {Picture} picture
 * @property {Plan} plan
 * @property {number[]} pinned
 * @property {Map<number, Why>} reasons
 * @property {Asked} asked
 * @property {Mask | null} area
 * @property {string} title
 * @property {string | null} what changes of the same in one go are one step
 * @property {HTMLCanvasElement | null} thumb
 * @property {boolean} [asking] whether its small picture is being drawn
 * @property {number} made when, in milliseconds
 */

/** @typedef {{way: "lower" | "raise", text: string}} Why */

/** @type {Asked} */
export const NOTHING_ASKED = [];
/** @param {Asked} asked */
export const planOf = (asked) => asked.at(-1)?.plan ?? emptyPlan();
const ONE_GO_MS = 1500; // changes of one slider that follow each other this closely are one step

/**
 * The steps whose small picture was neither drawn nor asked for yet.
 * @param {Step[]} steps
 */
export const undrawn = (steps) => steps.filter((step) => !step.thumb && !step.asking);

/**
 * Events: `picture` (another picture was opened), `plan` (the plan changed, on every move of a slider), `step` (a change is
 * finished and in the history), `rows` (which sliders are shown changed).
 */
export class Project extends EventTarget {
  /** @type {string | undefined} */
  dictionary = undefined; // the id of the one whose features plans name
  /** @type {Picture | null} */
  picture = null;
  plan = emptyPlan();
  /** @type {number[]} */
  pinned = []; // features whose sliders stand first: those of the prompt's plan and those added by hand
  /** @type {Map<number, Why>} */
  reasons = new Map(); // feature to why the prompt chose it
  asked = NOTHING_ASKED; // the prompts so far, each with the plan that it led to
  /** @type {Mask | null} */
  area = null; // the mask that operations made by hand keep to; null for everywhere
  /** @type {Step[]} */
  steps = [];
  at = -1;
  /** @type {Map<number, number>} */
  #base = new Map();

  /**
   * The strength that a feature has in the picture before any edit.
   * @param {number} feature
   */
  base(feature) {
    return this.#base.get(feature) ?? 0;
  }

  /**
   * `asked` and `area` are those that led to the plan, where that is known.
   * @param {Picture} picture
   * @param {Plan} plan
   * @param {string} title
   * @param {{asked?: Asked, area?: Mask | null}} [how]
   */
  open(picture, plan, title, { asked = NOTHING_ASKED, area = null } = {}) {
    const pinned = plan.operations.map((o) => o.feature);
    this.#show({ picture, plan, pinned, reasons: new Map(), asked, area });
    this.#push(title);
  }

  /**
   * A change that is under way, as while a slider moves or an area is painted.
   * @param {Plan} plan
   * @param {Mask | null} [area]
   */
  change(plan, area = this.area) {
    Object.assign(this, { plan, area });
    this.dispatchEvent(new Event("plan"));
  }

  /**
   * A change that is finished. `details` may replace `pinned`, `reasons`, `asked` and `area`; changes with the same `what`
   * shortly after each other are one step.
   * @param {Plan} plan
   * @param {string} title
   * @param {{pinned?: number[], reasons?: Map<number, Why>, asked?: Asked, area?: Mask | null}} [details]
   * @param {string | null} [what]
   */
  finish(plan, title, details = {}, what = null) {
    const rows = "pinned" in details || "reasons" in details;
    Object.assign(this, details);
    const moved = !samePlan(plan, this.plan);
    this.plan = plan;
    if (moved || rows) this.dispatchEvent(new Event("plan"));
    if (rows) this.dispatchEvent(new Event("rows"));
    const last = this.steps[this.at];
    const same = last && last.picture === this.picture && samePlan(last.plan, plan);
    if (!same || last.asked !== this.asked || last.area !== this.area) this.#push(title, what);
  }

  get canUndo() {
    return this.at > 0;
  }
  get canRedo() {
    return this.at < this.steps.length - 1;
  }

  /**
   * Go to a step of the history.
   * @param {number} index
   */
  go(index) {
    if (index < 0 || index >= this.steps.length || index === this.at) return;
    this.at = index;
    this.#show(this.steps[index]);
    this.dispatchEvent(new Event("step"));
  }

  /** @param {Pick<Step, "picture" | "plan" | "pinned" | "reasons" | "asked" | "area">} step */
  #show({ picture, plan, pinned, reasons, asked, area }) {
    const other = picture !== this.picture;
    Object.assign(this, { picture, plan, pinned, reasons, asked, area });
    this.#base = new Map(picture.active.map((feature) => [feature.id, feature.strength]));
    if (other) this.dispatchEvent(new Event("picture"));
    this.dispatchEvent(new Event("rows"));
    this.dispatchEvent(new Event("plan"));
  }

  /**
   * @param {string} title
   * @param {string | null} [what]
   */
  #push(title, what = null) {
    const { plan, pinned, reasons, asked, area } = this;
    const picture = /** @type {Picture} */ (this.picture); // only what was opened is edited
    /** @type {Step} */
    const step = { picture, plan, pinned, reasons, asked, area, title, what, thumb: null, made: performance.now() };
    const last = this.steps[this.at];
    const goesOn = what !== null && last?.what === what && step.made - last.made < ONE_GO_MS;
    this.steps = [...this.steps.slice(0, this.at + (goesOn ? 0 : 1)), step].slice(-100);
    this.at = this.steps.length - 1;
    this.dispatchEvent(new Event("step"));
  }
}
