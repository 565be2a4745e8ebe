// What is being edited: a picture, the plan on it, and every step that led here.

import { emptyPlan, samePlan } from "./plan.js";

export const NOTHING_ASKED = { prompts: [], plan: emptyPlan() };

/**
 * Events: `picture` (another picture was opened), `plan` (the plan changed, on every move of a slider), `step` (a change is
 * finished and in the history), `rows` (which sliders are shown changed).
 *
 * A picture, as `api.open` answers it: `{source, active: [{id, label, activation, strength}], …}`.
 */
export class Project extends EventTarget {
  picture = null;
  plan = emptyPlan();
  pinned = []; // features whose sliders stand first: those of the prompt's plan and those added by hand
  reasons = new Map(); // feature to why the prompt chose it
  asked = NOTHING_ASKED; // the prompts so far, and the plan that they alone make
  steps = [];
  at = -1;
  #base = new Map();

  /** The strength that a feature has in the picture before any edit. */
  base(feature) {
    return this.#base.get(feature) ?? 0;
  }

  open(picture, plan, title) {
    this.#show({
      picture,
      plan,
      pinned: plan.operations.map((o) => o.feature),
      reasons: new Map(),
      asked: NOTHING_ASKED,
    });
    this.#push(title);
  }

  /** A change that is under way, as while a slider moves. */
  change(plan) {
    this.plan = plan;
    this.dispatchEvent(new Event("plan"));
  }

  /** A change that is finished. `details` may replace `pinned`, `reasons` and `asked`. */
  finish(plan, title, details = {}) {
    const rows = Object.keys(details).length > 0;
    Object.assign(this, details);
    const moved = !samePlan(plan, this.plan);
    this.plan = plan;
    if (moved || rows) this.dispatchEvent(new Event("plan"));
    if (rows) this.dispatchEvent(new Event("rows"));
    const last = this.steps[this.at];
    if (!last || last.picture !== this.picture || !samePlan(last.plan, plan)) this.#push(title);
  }

  get canUndo() {
    return this.at > 0;
  }
  get canRedo() {
    return this.at < this.steps.length - 1;
  }

  /** Go to a step of the history. */
  go(index) {
    if (index < 0 || index >= this.steps.length || index === this.at) return;
    this.at = index;
    this.#show(this.steps[index]);
    this.dispatchEvent(new Event("step"));
  }

  #show({ picture, plan, pinned, reasons, asked }) {
    const other = picture !== this.picture;
    Object.assign(this, { picture, plan, pinned, reasons, asked });
    this.#base = new Map(picture.active.map((feature) => [feature.id, feature.strength]));
    if (other) this.dispatchEvent(new Event("picture"));
    this.dispatchEvent(new Event("rows"));
    this.dispatchEvent(new Event("plan"));
  }

  #push(title) {
    const { picture, plan, pinned, reasons, asked } = this;
    const step = { picture, plan, pinned, reasons, asked, title, thumb: null };
    this.steps = [...this.steps.slice(0, this.at + 1), step].slice(-100);
    this.at = this.steps.length - 1;
    this.dispatchEvent(new Event("step"));
  }
}
