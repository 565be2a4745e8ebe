// A slider for every feature that the character has, and for those that the edit brought in.

import { isNamed, nameOf } from "../features/catalogue.js";
import { h, plural, thumb, within } from "../shared/dom.js";
import { ablated, emptyPlan, operationOn, solo, strengthAfter, withStrength, withoutFeature } from "./plan.js";
import { NOTHING_ASKED } from "./project.js";

/** @import { Catalogue } from "../features/catalogue.js" */
/** @import { Project } from "./project.js" */

/**
 * What a feature's row is made of.
 * @typedef {object} Row
 * @property {HTMLDivElement} element
 * @property {HTMLInputElement} input
 * @property {HTMLInputElement} value
 * @property {HTMLButtonElement} off
 * @property {HTMLSpanElement} masked
 */

const STEP = 0.05;
const SMALL = 0.1;
/** @param {number} strength */
const shown = (strength) => (Math.abs(strength) < 0.005 ? "0.00" : strength.toFixed(2));

export class Sliders {
  #part;
  #project;
  #catalogue;
  #onOpen;
  #onWhere;
  /** @type {Map<number, Row>} */
  #rows = new Map(); // by feature
  /** @type {number | null} */
  #moving = null; // the feature whose slider is moved
  #keyed = false; // whether a key moves the slider: then many changes are one step

  /**
   * @param {HTMLElement} root
   * @param {Project} project
   * @param {Catalogue} catalogue
   * @param {{onFind: () => void, onOpen: (id: number) => void, onWhere: (id: number | null) => void}} actions
   */
  constructor(root, project, catalogue, { onFind, onOpen, onWhere }) {
    this.#part = within(root);
    this.#project = project;
    this.#catalogue = catalogue;
    this.#onOpen = onOpen;
    this.#onWhere = onWhere;
    project.addEventListener("rows", () => this.#build());
    project.addEventListener("plan", () => this.#refresh());
    catalogue.addEventListener("change", () => this.#build());
    this.#part("add").addEventListener("click", onFind);
    this.#part("reset").addEventListener("click", () =>
      project.finish(emptyPlan(), "reset all", { pinned: [], reasons: new Map(), asked: NOTHING_ASKED }),
    );
  }

  /**
   * Bring features in, at their usual strength unless they have one already, and put the focus on the first's slider.
   * @param {number[]} features
   */
  add(...features) {
    const fresh = features.filter((id) => !this.#rows.has(id));
    let { plan } = this.#project;
    for (const id of fresh) {
      const { high } = this.#catalogue.range(id);
      if (!operationOn(plan, id)) plan = withStrength(plan, id, Math.min(1, high), this.#project.area);
    }
    const title = features.length > 1 ? `add ${features.length} features` : `add ${this.#catalogue.label(features[0])}`;
    if (fresh.length) this.#project.finish(plan, title, { pinned: [...fresh, ...this.#project.pinned] });
    const row = this.#rowOf(features[0]);
    row.input.focus({ preventScroll: true });
    row.element.scrollIntoView({ block: "nearest" });
    row.element.classList.add("flash");
    setTimeout(() => row.element.classList.remove("flash"), 900);
  }

  /**
   * @param {number} feature
   * @param {number} strength
   */
  set(feature, strength) {
    const { pinned } = this.#project;
    const details = this.#rows.has(feature) ? {} : { pinned: [feature, ...pinned] };
    this.#project.finish(
      withStrength(this.#project.plan, feature, strength, this.#project.area),
      `${this.#catalogue.label(feature)} ${shown(strength)}`,
      details,
    );
  }

  /** Nothing is on its way any more. */
  loaded() {
    this.#part("sliders").ariaBusy = "false";
  }

  #build() {
    const project = this.#project;
    if (!project.picture) return;
    /** @type {HTMLElement | null | undefined} */
    const slider = document.activeElement?.closest(".slider");
    const focused = slider?.dataset.feature;
    const active = project.picture.active.map(({ id }) => id);
    const first = [
      ...new Set([
        ...project.pinned,
        ...project.plan.operations.map((o) => o.feature).filter((id) => !active.includes(id)),
      ]),
    ];
    const rest = active.filter((id) => !first.includes(id));
    this.#rows = new Map([...first, ...rest].map((id) => [id, this.#row(id)]));
    // A plan ends in a tail of features that it hardly moves; they stand behind one line.
    const small = first.filter(
      (id) => project.reasons.has(id) && Math.abs(this.#strength(id) - project.base(id)) < SMALL,
    );
    /** @param {number[]} ids */
    const elements = (ids) => ids.map((id) => this.#rowOf(id).element);
    /**
     * @param {string} title
     * @param {number[]} ids
     */
    const heading = (title, ids) => h("h3", { class: "group" }, title, h("span", {}, ` ${ids.length}`));
    const open = this.#part("sliders").querySelector("details")?.open;
    this.#part("sliders").replaceChildren(
      ...(first.length ? [heading("In this edit", first), ...elements(first.filter((id) => !small.includes(id)))] : []),
      ...(small.length
        ? [
            h(
              "details",
              { class: "tail", open },
              h("summary", {}, `${plural(small.length, "small change")} that the edit needs too`),
              ...elements(small),
            ),
          ]
        : []),
      ...(rest.length ? [heading("In this character, most active first", rest), ...elements(rest)] : []),
      ...(first.length + rest.length
        ? []
        : [h("p", { class: "empty" }, "No feature is active in this picture. Add one from the map.")]),
    );
    this.loaded();
    if (focused) this.#rows.get(Number(focused))?.input.focus({ preventScroll: true });
    this.#refresh();
  }

  /** @param {number} id */
  #rowOf(id) {
    return /** @type {Row} */ (this.#rows.get(id));
  }

  /**
   * @param {number} id
   * @returns {Row}
   */
  #row(id) {
    const feature = this.#catalogue.get(id) ?? { id, label: this.#catalogue.label(id), source: "caption" };
    const reason = this.#project.reasons.get(id);
    const name = nameOf(feature);
    const { low, high } = this.#catalogue.range(id);
    const input = h("input", {
      type: "range",
      min: low,
      max: high,
      step: STEP,
      id: `slider-${id}`,
      "aria-label": `Strength of ${name}, feature ${id}`,
    });
    const value = h("input", {
      type: "number",
      class: "value",
      step: STEP,
      min: -1000,
      max: 1000,
      "aria-label": `Strength of ${name}, feature ${id}, as a number`,
    });
    /**
     * @param {string} text
     * @param {string} label
     * @param {() => void} run
     */
    const button = (text, label, run) =>
      h(
        "button",
        {
          type: "button",
          class: "plain",
          "aria-label": `${label}: ${name}, feature ${id}`,
          title: label,
          onclick: run,
        },
        text,
      );
    const off = button("Off", "Take out", () => this.#toggle(id));
    const masked = h("span", { class: "masked", title: "Only in the painted area", hidden: true }, "▦");
    const element = h(
      "div",
      { class: `slider${isNamed(feature) ? "" : " unnamed"}`, "data-feature": id },
      h(
        "button",
        {
          type: "button",
          class: "open",
          "aria-label": `Open ${name}, feature ${id}`,
          title: "Open this feature",
          onclick: () => this.#onOpen(id),
          onpointerenter: () => this.#onWhere(id),
          onpointerleave: () => this.#onWhere(null),
        },
        thumb(id, 44),
      ),
      h(
        "div",
        { class: "name" },
        h("span", { class: "label", title: name }, name),
        masked,
        h("span", { class: "number" }, `#${id}`),
      ),
      h(
        "div",
        { class: "actions" },
        off,
        button("Solo", "Take out everything else", () => this.#solo(id)),
        button("Reset", "Back to the start", () =>
          this.#project.finish(withoutFeature(this.#project.plan, id), `reset ${name}`),
        ),
      ),
      value,
      input,
      reason
        ? h(
            "p",
            { class: "why" },
            h("span", { class: `way ${reason.way}`, "aria-hidden": "true" }, reason.way === "lower" ? "↓" : "↑"),
            reason.text,
          )
        : null,
    );
    input.addEventListener("input", () => this.#move(id, Number(input.value)));
    input.addEventListener("keydown", () => (this.#keyed = true));
    input.addEventListener("change", () => this.#settle(id));
    value.addEventListener("change", () => {
      const strength = Math.max(-1000, Math.min(1000, Number(value.value)));
      if (value.value === "" || !Number.isFinite(strength)) return this.#refresh();
      return this.set(id, strength);
    });
    return { element, input, value, off, masked };
  }

  /** @param {number} id */
  #strength(id) {
    return strengthAfter(operationOn(this.#project.plan, id), this.#project.base(id));
  }

  /**
   * @param {number} id
   * @param {number} strength
   */
  #move(id, strength) {
    this.#moving = id;
    const old = operationOn(this.#project.plan, id);
    this.#project.change(withStrength(this.#project.plan, id, strength, old ? old.mask : this.#project.area));
  }

  /** @param {number} id */
  #settle(id) {
    this.#moving = null;
    const title = `${this.#catalogue.label(id)} ${shown(this.#strength(id))}`;
    this.#project.finish(this.#project.plan, title, {}, this.#keyed ? `slider ${id}` : null);
    this.#keyed = false;
    this.#refresh();
  }

  /** @param {number} id */
  #toggle(id) {
    const { plan } = this.#project;
    const label = this.#catalogue.label(id);
    if (operationOn(plan, id)?.op === "ablate") this.#project.finish(withoutFeature(plan, id), `put ${label} back`);
    else this.#project.finish(ablated(plan, id, this.#project.area), `take out ${label}`);
  }

  /** @param {number} id */
  #solo(id) {
    const present = this.#project.picture?.active.map((feature) => feature.id) ?? [];
    this.#project.finish(solo(this.#project.plan, id, present, this.#project.area), `only ${this.#catalogue.label(id)}`);
  }

  #refresh() {
    const { plan } = this.#project;
    this.#part("reset").disabled = plan.operations.length === 0;
    this.#part("changes").textContent = plan.operations.length ? `${plural(plan.operations.length, "change")}. ` : "";
    for (const [id, { element, input, value, off, masked }] of this.#rows) {
      const operation = operationOn(plan, id);
      const base = this.#project.base(id);
      const strength = this.#strength(id);
      const { low, high } = this.#catalogue.range(id);
      if (this.#moving !== id) {
        // The range grows to hold what a plan asks for, and only then.
        input.min = String(Math.min(low, Math.floor(strength)));
        input.max = String(Math.max(high, Math.ceil(Math.max(strength, base))));
        input.value = String(strength);
      }
      const [from, to] = [Number(input.min), Number(input.max)];
      /** @param {number} number */
      const share = (number) => `${(100 * (number - from)) / (to - from)}%`;
      element.style.setProperty("--base", share(base));
      element.style.setProperty("--from", share(Math.min(base, strength)));
      element.style.setProperty("--to", share(Math.max(base, strength)));
      value.value = shown(strength);
      element.classList.toggle("changed", operation !== undefined);
      element.classList.toggle("is-off", operation?.op === "ablate");
      off.ariaPressed = String(operation?.op === "ablate");
      masked.hidden = !operation?.mask;
      input.setAttribute("aria-valuetext", `${shown(strength)}${operation ? `, was ${shown(base)}` : ""}`);
    }
  }
}
