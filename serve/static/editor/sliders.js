// A slider for every feature that the picture has, and for those that the edit brought in.

import { isNamed, nameOf } from "../features/catalogue.js";
import { plural, within } from "../shared/dom.js";
import { subject } from "../shared/subject.js";
import { show, thumb } from "../shared/view.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { ablated, emptyPlan, operationOn, solo, strengthAfter, withStrength, withoutFeature } from "./plan.js";
import { NOTHING_ASKED } from "./project.js";

/** @import { Catalogue } from "../features/catalogue.js" */
/** @import { Project } from "./project.js" */

const STEP = 0.05;
const SMALL = 0.1;
/** @param {number} strength */
const shown = (strength) => (Math.abs(strength) < 0.005 ? "0.00" : strength.toFixed(2));

/**
 * @param {Event} event
 * @returns {HTMLInputElement} what it is about
 */
const inputOf = (event) => /** @type {any} */ (event.target);

export class Sliders {
  #part;
  #project;
  #catalogue;
  #onOpen;
  #onWhere;
  /** @type {{first: number[], small: number[], rest: number[]}} */
  #rows = { first: [], small: [], rest: [] }; // features: of the edit, those of them that it hardly moves, the others
  /** @type {{id: number, range: {low: number, high: number}} | null} */
  #moving = null; // the feature whose slider is moved; its range stays until then
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
    project.addEventListener("rows", () => this.#arrange());
    project.addEventListener("plan", () => this.#draw());
    catalogue.addEventListener("change", () => this.#draw());
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
    const fresh = features.filter((id) => !this.#has(id));
    let { plan } = this.#project;
    for (const id of fresh) {
      const { high } = this.#catalogue.range(id);
      if (!operationOn(plan, id)) plan = withStrength(plan, id, Math.min(1, high), this.#project.area);
    }
    const title = features.length > 1 ? `add ${features.length} features` : `add ${this.#catalogue.label(features[0])}`;
    if (fresh.length) this.#project.finish(plan, title, { pinned: [...fresh, ...this.#project.pinned] });
    const slider = this.#part(`slider-${features[0]}`);
    slider.focus({ preventScroll: true });
    const row = slider.closest(".slider");
    row?.scrollIntoView({ block: "nearest" });
    row?.classList.add("flash");
    setTimeout(() => row?.classList.remove("flash"), 900);
  }

  /**
   * @param {number} feature
   * @param {number} strength
   */
  set(feature, strength) {
    const { pinned } = this.#project;
    const details = this.#has(feature) ? {} : { pinned: [feature, ...pinned] };
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

  /** @param {number} id */
  #has(id) {
    return this.#rows.first.includes(id) || this.#rows.rest.includes(id);
  }

  #arrange() {
    const { picture, pinned, plan, reasons } = this.#project;
    const active = picture?.active.map(({ id }) => id) ?? [];
    const added = plan.operations.map(({ feature }) => feature).filter((id) => !active.includes(id));
    const first = [...new Set([...pinned, ...added])];
    // A plan ends in a tail of features that it hardly moves; they stand behind one line.
    const small = first.filter(
      (id) => reasons.has(id) && Math.abs(this.#strength(id) - this.#project.base(id)) < SMALL,
    );
    this.#rows = { first, small, rest: active.filter((id) => !first.includes(id)) };
    this.loaded();
    this.#draw();
  }

  #draw() {
    if (!this.#project.picture) return;
    const { first, small, rest } = this.#rows;
    const changes = this.#project.plan.operations.length;
    this.#part("reset").disabled = changes === 0;
    this.#part("changes").textContent = changes ? `${plural(changes, "change")}. ` : "";
    /** @param {number[]} ids */
    const rows = (ids) => repeat(ids, (id) => id, (id) => this.#row(id));
    /**
     * @param {string} title
     * @param {number[]} ids
     */
    const heading = (title, ids) =>
      ids.length ? html`<h3 class="group">${title}<span> ${ids.length}</span></h3>` : nothing;
    show(
      this.#part("sliders"),
      html`
        ${heading("In this edit", first)} ${rows(first.filter((id) => !small.includes(id)))}
        ${
          small.length
            ? html`<details class="tail">
                <summary>${plural(small.length, "small change")} that the edit needs too</summary>
                ${rows(small)}
              </details>`
            : nothing
        }
        ${heading(`In this ${subject()}, most active first`, rest)} ${rows(rest)}
        ${
          first.length + rest.length
            ? nothing
            : html`<p class="empty">No feature is active in this picture. Add one from the map.</p>`
        }
      `,
    );
  }

  /** @param {number} id */
  #row(id) {
    const feature = this.#catalogue.get(id) ?? { id, label: this.#catalogue.label(id), source: "caption" };
    const reason = this.#project.reasons.get(id);
    const operation = operationOn(this.#project.plan, id);
    const [base, strength] = [this.#project.base(id), this.#strength(id)];
    const { low, high } = this.#range(id);
    const isOff = operation?.op === "ablate";
    const name = nameOf(feature);
    const what = `${name}, feature ${id}`;
    const state = `${isNamed(feature) ? "" : " unnamed"}${operation ? " changed" : ""}${isOff ? " is-off" : ""}`;
    /** @param {number} number */
    const share = (number) => `${(100 * (number - low)) / (high - low)}%`;
    const [from, to] = [share(Math.min(base, strength)), share(Math.max(base, strength))];
    /**
     * @param {string} text
     * @param {string} label
     * @param {() => void} run
     * @param {unknown} [pressed]
     */
    const button = (text, label, run, pressed = nothing) => html`
      <button id=${`${text.toLowerCase()}-${id}`} type="button" class="plain" aria-label=${`${label}: ${what}`}
        title=${label} aria-pressed=${pressed} @click=${run}>${text}</button>`;
    const reset = () => this.#project.finish(withoutFeature(this.#project.plan, id), `reset ${name}`);
    return html`
      <div class=${`slider${state}`} data-feature=${id} style=${`--base:${share(base)};--from:${from};--to:${to}`}>
        <button id=${`open-${id}`} type="button" class="open" aria-label=${`Open ${what}`} title="Open this feature"
          @click=${() => this.#onOpen(id)} @pointerenter=${() => this.#onWhere(id)}
          @pointerleave=${() => this.#onWhere(null)}>${thumb(id, 44)}</button>
        <div class="name">
          <span class="label" title=${name}>${name}</span>
          <span class="masked" title="Only in the painted area" ?hidden=${!operation?.mask}>▦</span>
          <span class="number">#${id}</span>
        </div>
        <div class="actions">
          ${button("Off", "Take out", () => this.#toggle(id), isOff)}
          ${button("Solo", "Take out everything else", () => this.#solo(id))} ${button("Reset", "Back to the start", reset)}
        </div>
        <input id=${`value-${id}`} type="number" class="value" step=${STEP} min="-1000" max="1000"
          aria-label=${`Strength of ${what}, as a number`} .value=${live(shown(strength))}
          @change=${(/** @type {Event} */ event) => this.#typed(id, inputOf(event).value)}>
        <input id=${`slider-${id}`} type="range" min=${low} max=${high} step=${STEP} .value=${live(String(strength))}
          aria-label=${`Strength of ${what}`} aria-valuetext=${`${shown(strength)}${operation ? `, was ${shown(base)}` : ""}`}
          @input=${(/** @type {Event} */ event) => this.#move(id, Number(inputOf(event).value))}
          @keydown=${() => (this.#keyed = true)} @change=${() => this.#settle(id)}>
        ${
          reason
            ? html`<p class="why"><span class=${`way ${reason.way}`} aria-hidden="true">${reason.way === "lower" ? "↓" : "↑"}</span>${reason.text}</p>`
            : nothing
        }
      </div>`;
  }

  /**
   * From where to where the slider goes. The range grows to hold what a plan asks for, and only then.
   * @param {number} id
   */
  #range(id) {
    if (this.#moving?.id === id) return this.#moving.range;
    const { low, high } = this.#catalogue.range(id);
    const strength = this.#strength(id);
    return {
      low: Math.min(low, Math.floor(strength)),
      high: Math.max(high, Math.ceil(Math.max(strength, this.#project.base(id)))),
    };
  }

  /**
   * @param {number} id
   * @param {string} text
   */
  #typed(id, text) {
    const strength = Math.max(-1000, Math.min(1000, Number(text)));
    if (text === "" || !Number.isFinite(strength)) this.#draw();
    else this.set(id, strength);
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
    if (this.#moving?.id !== id) this.#moving = { id, range: this.#range(id) };
    const old = operationOn(this.#project.plan, id);
    this.#project.change(withStrength(this.#project.plan, id, strength, old ? old.mask : this.#project.area));
  }

  /** @param {number} id */
  #settle(id) {
    this.#moving = null;
    const title = `${this.#catalogue.label(id)} ${shown(this.#strength(id))}`;
    this.#project.finish(this.#project.plan, title, {}, this.#keyed ? `slider ${id}` : null);
    this.#keyed = false;
    this.#draw();
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
}
