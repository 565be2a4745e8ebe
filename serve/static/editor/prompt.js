// Saying what should change. Prompts add up: each is asked after the ones before, and can be taken back. What is said of
// them follows the history of the edit.

import { plural, within } from "../shared/dom.js";
import { isNamed } from "../features/catalogue.js";
import { show } from "../shared/view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { operationOn, samePlan, strengthAfter, withMask, withOperation } from "./plan.js";
import { planOf } from "./project.js";
import { requestFor, suggestions } from "./suggestions.js";

/** @import { Catalogue } from "../features/catalogue.js" */
/** @import { Api, Asked, Picture, Plan, Prompted, Reason } from "../shared/types.js" */
/** @import { Project, Why } from "./project.js" */

/** @type {Record<string, string>} */
const DONE = { replace: "put in", raise: "raised", lower: "lowered", remove: "taken out" };
const MOST_EXPLAINED = 3;
/** @param {number} score */
const percent = (score) => `${Math.round(100 * score)}%`;

export class Prompt {
  #part;
  #api;
  #project;
  #catalogue;
  #busy = false;
  #last = Promise.resolve(); // done with all that was asked so far
  /** @type {Asked | null} */
  #drawn = null; // what was asked, and of which picture, when the answer was last written
  /** @type {Picture | null} */
  #pictured = null;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Project} project
   * @param {Catalogue} catalogue
   */
  constructor(root, api, project, catalogue) {
    this.#part = within(root);
    this.#part("ask").hidden = !api.can.prompt;
    this.#part("no-prompt").hidden = api.can.prompt;
    this.#api = api;
    this.#project = project;
    this.#catalogue = catalogue;
    this.#part("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#part("prompt").value.trim();
      if (text) this.ask(text);
      else this.#tell(html`<p>Say what should change. ${this.#try()}</p>`);
    });
    if (!api.can.prompt) return;
    project.addEventListener("step", () => this.#draw());
    catalogue.addEventListener("change", () => this.suggest()); // with labels written by hand
  }

  /** What the current step of the edit was asked for, or a few ideas. */
  #draw() {
    const { asked, picture } = this.#project;
    if (this.#drawn === asked && this.#pictured === picture) return;
    [this.#drawn, this.#pictured] = [asked, picture];
    this.#tell(this.#said(), this.#explanations());
    this.suggest();
  }

  /** Offer a few prompts that this dictionary can surely follow; where nothing has a label, say what that takes. */
  suggest() {
    this.#part("no-labels").hidden = !this.#api.can.prompt || !this.#catalogue.list.length || this.#catalogue.list.some(isNamed);
    if (this.#busy || !this.#project.picture || this.#project.asked.length) return;
    this.#tell(this.#try());
  }

  /** A few prompts to press. */
  #try() {
    const chosen = suggestions(this.#catalogue.list);
    if (!chosen.length) return nothing;
    const chips = chosen.map(({ label, place }) => this.#chip(requestFor("replace", label, Boolean(place))));
    return html`<span class="chips">Try ${chips}</span>`;
  }

  /**
   * A label that the server named, as a request.
   * @param {string} action
   * @param {string} label
   */
  #request(action, label) {
    return requestFor(action, label, this.#catalogue.list.some((f) => f.label === label && f.place));
  }

  /** @param {string} label */
  askFor(label) {
    return this.ask(this.#request("replace", label));
  }

  /**
   * @param {string} text
   * @param {Asked} [before] the prompts that it adds to
   */
  ask(text, before) {
    return this.#inTurn(async () => {
      const input = this.#part("prompt");
      const typed = input.value;
      const others = before ?? this.#project.asked;
      // The last one said again is read again.
      const made = await this.#made([...(others.at(-1)?.text === text ? others.slice(0, -1) : others), { text }]);
      if (made && this.#take(made) && input.value === typed) input.value = "";
    });
  }

  /** @param {Prompted} prompt */
  takeBack(prompt) {
    return this.#inTurn(async () => {
      const { asked } = this.#project;
      const index = asked.indexOf(prompt);
      if (index < 0) return;
      // What was said after it is read anew, without it.
      const rest = asked.slice(index + 1).map(({ text }) => ({ text }));
      const made = await this.#made([...asked.slice(0, index), ...rest]);
      if (made) this.#finish(made, `take back “${prompt.text}”`);
    });
  }

  /**
   * What is asked while another prompt waits for its answer comes after it.
   * @param {() => Promise<void>} run
   */
  #inTurn(run) {
    this.#last = this.#last.then(run, run);
    return this.#last;
  }

  /**
   * The prompts with their plans. Those that have none are asked for one after the other: only what prompts say beyond
   * those before them is theirs. Null if that failed, or another picture was opened meanwhile.
   * @param {Asked} prompts
   */
  async #made(prompts) {
    const { picture, area } = this.#project;
    if (!picture) return null;
    const last = prompts.findLastIndex(({ plan }) => !plan);
    /** @type {Prompted[]} */
    const made = [];
    this.#working(true);
    try {
      for (const [index, prompt] of prompts.entries()) {
        if (prompt.plan && (prompt.reasons || index > last)) made.push(prompt);
        else {
          // Each prompt is a sentence: what one says, as "without", is not meant of the next.
          const texts = [...made, prompt].map(({ text }) => text.replace(/[\s,.;!?]+$/, ""));
          const { plan, reasons } = await this.#api.edit(picture, texts.join(". "));
          const known = made.flatMap((other) => other.reasons ?? []).length;
          made.push({ text: prompt.text, plan: area ? withMask(plan, area) : plan, reasons: reasons.slice(known) });
        }
      }
      this.#working(false);
      return this.#project.picture === picture ? made : null;
    } catch (error) {
      this.#working(false);
      this.#tell(html`<p class="error">${error.message}</p>`);
      return null;
    }
  }

  /**
   * A plan with the changes on top that were made by hand, but for features that the plan now treats otherwise.
   * @param {Plan} plan
   */
  #byHand(plan) {
    const before = planOf(this.#project.asked);
    /**
     * @param {Plan} one
     * @param {Plan} other
     * @param {number} feature
     */
    const same = (one, other, feature) => samePlan(operationOn(one, feature) ?? null, operationOn(other, feature) ?? null);
    const own = this.#project.plan.operations.filter(
      ({ feature }) => !same(this.#project.plan, before, feature) && same(plan, before, feature),
    );
    return own.reduce(withOperation, plan);
  }

  /**
   * Take over what the newest prompt led to; answers whether it led to anything.
   * @param {Prompted[]} made
   */
  #take(made) {
    const { text, reasons = [] } = made[made.length - 1];
    const newest = reasons.findLast((reason) => reason.features.length);
    const missed = reasons.filter((reason) => !reason.features.length).map((reason) => this.#nothing(reason));
    if (!newest) {
      const none = html`<p>I could not find a request in “${text}”. ${this.#try()}</p>`;
      this.#tell(reasons.length ? missed : none, this.#said());
      return false;
    }
    this.#finish(made, text);
    const others = newest.alternatives
      .slice(0, 3)
      .map((label) => this.#chip(this.#request(newest.action, label), made.slice(0, -1)));
    const instead = others.length ? html`<p class="chips">Or did you mean ${others}</p>` : nothing;
    this.#tell(this.#said(), this.#explanations(), missed, instead);
    return true;
  }

  /**
   * @param {Asked} asked
   * @param {string} title
   */
  #finish(asked, title) {
    const plan = this.#byHand(planOf(asked));
    this.#project.finish(plan, title, {
      pinned: plan.operations.map((o) => o.feature),
      reasons: this.#reasons(asked),
      asked,
    });
  }

  /** What was done, the newest first. */
  #explanations() {
    const reasons = this.#project.asked.flatMap((prompt) => prompt.reasons ?? []);
    const done = reasons.filter((reason) => reason.features.length);
    return done.reverse().slice(0, MOST_EXPLAINED).map((reason) => this.#explained(reason));
  }

  /**
   * Why each feature is in the plan.
   * @param {Asked} asked
   */
  #reasons(asked) {
    const plan = planOf(asked);
    /** @type {Map<number, Why>} */
    const found = new Map();
    for (const reason of asked.flatMap((prompt) => prompt.reasons ?? [])) {
      for (const id of reason.features) {
        const base = this.#project.base(id);
        const way = strengthAfter(operationOn(plan, id), base) < base ? "lower" : "raise";
        const match = reason.matched.find(({ feature }) => feature === id);
        const text = match
          ? `means “${match.label}”, ${percent(match.score)} match`
          : way === "lower"
            ? "makes room"
            : "helps to draw it";
        found.set(id, { way, text });
      }
    }
    return found;
  }

  /** @param {Reason} reason */
  #explained(reason) {
    const [best] = reason.matched;
    return html`
      <p>
        “${reason.text}”: <strong>${best ? best.label : reason.text}</strong> ${DONE[reason.action] ?? reason.action}${best ? ` (${percent(best.score)} match)` : ""}
        by ${plural(reason.features.length, "slider")}, which you can move.
        ${reason.action === "remove" ? "It goes as far as there are pictures without." : ""}
      </p>`;
  }

  /** @param {Reason} reason */
  #nothing({ text, action, matched, nearest }) {
    const already = matched.length ? `“${matched[0].label}”` : "it";
    if (!this.#catalogue.list.some(isNamed)) return html`<p>No feature has a label yet, so “${text}” finds nothing.</p>`;
    if (matched.length || !nearest.length)
      return html`<p>“${text}”: nothing to do. As far as the features tell, ${already} is already so.</p>`;
    const closest = nearest.slice(0, 4).map((label) => this.#chip(this.#request(action, label)));
    return html`
      <p><strong>Nothing matched.</strong> No feature here means just “${text}”.</p>
      <p class="chips">Closest: ${closest}</p>`;
  }

  #said() {
    const { asked } = this.#project;
    if (!asked.length) return nothing;
    /** @param {Prompted} prompt */
    const item = (prompt) => html`
      <li>
        ${prompt.text}<button type="button" class="plain" aria-label=${`Take back “${prompt.text}”`} title="Take this back"
          @click=${() => this.takeBack(prompt)}>×</button>
      </li>`;
    return html`<ul class="said" aria-label="What you asked for">${asked.map(item)}</ul>`;
  }

  /**
   * @param {string} text
   * @param {Asked} [before] the prompts that it adds to
   */
  #chip(text, before) {
    return html` <button type="button" class="chip" @click=${() => this.ask(text, before)}>${text}</button>`;
  }

  /** @param {unknown[]} parts */
  #tell(...parts) {
    show(this.#part("answer"), parts);
  }

  /** @param {boolean} busy */
  #working(busy) {
    this.#busy = busy;
    this.#part("ask").ariaBusy = String(busy);
    this.#part("ask").classList.toggle("busy", busy);
    clearTimeout(this.#timer);
    // Most answers come at once; a word only where one waits.
    const waiting = html`<p class="loading">Looking for the features that mean this…</p>`;
    if (busy) this.#timer = setTimeout(() => this.#tell(waiting), 400);
  }
}
