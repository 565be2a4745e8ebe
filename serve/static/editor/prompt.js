// Saying what should change. Prompts add up: each is asked after the ones before, and can be taken back. What is said of
// them follows the history of the edit.

import { h, plural, within } from "../shared/dom.js";
import { operationOn, samePlan, strengthAfter, withMask, withOperation } from "./plan.js";
import { planOf } from "./project.js";

/** @import { Catalogue } from "../features/catalogue.js" */
/** @import { Api, Asked, Feature, Picture, Plan, Prompted, Reason } from "../shared/types.js" */
/** @import { Project, Why } from "./project.js" */

/** @type {Record<string, string>} */
const DONE = { replace: "put in", raise: "raised", lower: "lowered", remove: "taken out" };
const MOST_EXPLAINED = 3;
/** @type {Record<string, string>} */
const AGAIN = { replace: "give it", raise: "more", lower: "less", remove: "without" };
/** @param {number} score */
const percent = (score) => `${Math.round(100 * score)}%`;

export class Prompt {
  #part;
  #api;
  #project;
  #catalogue;
  #busy = false;
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
      else this.#tell(h("p", {}, "Say what should change, for example “make it a shark”."));
    });
    if (api.can.prompt) project.addEventListener("step", () => this.#draw());
  }

  /** What the current step of the edit was asked for, or a few ideas. */
  #draw() {
    const { asked, picture } = this.#project;
    if (this.#drawn === asked && this.#pictured === picture) return;
    [this.#drawn, this.#pictured] = [asked, picture];
    if (asked.length) this.#tell(this.#said(), ...this.#explanations());
    else {
      this.#tell();
      this.suggest();
    }
  }

  /** Offer a few prompts that this dictionary can surely follow. */
  suggest() {
    const sure = this.#catalogue.list.filter(
      (f) =>
        f.source === "caption" && f.confidence > 0.8 && f.place && f.density > 0.001 && f.label.split(" ").length === 2,
    );
    /** @type {Feature[]} */
    const chosen = [];
    for (let tries = 0; chosen.length < 3 && tries < 60 && sure.length; tries += 1) {
      const feature = sure[Math.floor(Math.random() * sure.length)];
      if (!chosen.some((other) => other.place === feature.place || other.label === feature.label)) chosen.push(feature);
    }
    if (this.#busy || !chosen.length || !this.#project.picture || this.#project.asked.length) return;
    this.#tell(h("p", { class: "chips" }, "Try ", ...chosen.map((feature) => this.#chip(`give it ${feature.label}`))));
  }

  /**
   * @param {string} text
   * @param {Asked} [before] the prompts that it adds to
   */
  async ask(text, before = this.#project.asked) {
    const others = before.at(-1)?.text === text ? before.slice(0, -1) : before; // said again, it is read again
    const made = await this.#made([...others, { text }]);
    if (made) this.#take(made);
  }

  /** @param {number} index */
  async takeBack(index) {
    const { asked } = this.#project;
    // What was said after it is read anew, without it.
    const rest = asked.slice(index + 1).map(({ text }) => ({ text }));
    const made = await this.#made([...asked.slice(0, index), ...rest]);
    if (made) this.#finish(made, `take back “${asked[index].text}”`);
  }

  /**
   * The prompts with their plans. Those that have none are asked for one after the other: only what prompts say beyond
   * those before them is theirs. Null if that failed, or another picture was opened meanwhile.
   * @param {Asked} prompts
   */
  async #made(prompts) {
    const { picture, area } = this.#project;
    if (this.#busy || !picture) return null;
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
      this.#tell(h("p", { class: "error" }, error.message));
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
   * Take over what the newest prompt led to, if it led to anything.
   * @param {Prompted[]} made
   */
  #take(made) {
    const { text, reasons = [] } = made[made.length - 1];
    const newest = reasons.findLast((reason) => reason.features.length);
    const missed = reasons.filter((reason) => !reason.features.length).flatMap((reason) => this.#nothing(reason));
    if (!reasons.length)
      return this.#tell(h("p", {}, `I could not find a request in “${text}”. Try “make it a shark”.`), this.#said());
    if (!newest) return this.#tell(...missed, this.#said());
    this.#part("prompt").value = "";
    this.#finish(made, text);
    const others = newest.alternatives.slice(0, 3);
    this.#part("answer").append(
      ...missed,
      others.length
        ? h(
            "p",
            { class: "chips" },
            "Or did you mean ",
            ...others.map((label) => this.#chip(`${AGAIN[newest.action]} ${label}`, made.slice(0, -1))),
          )
        : "",
    );
    return undefined;
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
    return h(
      "p",
      {},
      `“${reason.text}”: `,
      h("strong", {}, best ? best.label : reason.text),
      ` ${DONE[reason.action] ?? reason.action}`,
      best ? ` (${percent(best.score)} match)` : "",
      ` by ${plural(reason.features.length, "slider")}, which you can move.`,
      reason.action === "remove" ? " It goes as far as there are characters without." : "",
    );
  }

  /** @param {Reason} reason */
  #nothing(reason) {
    if (reason.matched.length)
      return [
        h(
          "p",
          {},
          `“${reason.text}”: nothing to do. As far as the features tell, “${reason.matched[0].label}” is already so.`,
        ),
      ];
    if (!reason.nearest.length)
      return [h("p", {}, `“${reason.text}”: nothing to do. As far as the features tell, it is already so.`)];
    return [
      h("p", {}, h("strong", {}, "Nothing matched. "), `No feature here means just “${reason.text}”.`),
      h(
        "p",
        { class: "chips" },
        "Closest: ",
        ...reason.nearest.slice(0, 4).map((label) => this.#chip(`${AGAIN[reason.action] ?? "give it"} ${label}`)),
      ),
    ];
  }

  #said() {
    const { asked } = this.#project;
    return asked.length
      ? h(
          "ul",
          { class: "said", "aria-label": "What you asked for" },
          ...asked.map(({ text }, index) =>
            h(
              "li",
              {},
              text,
              h(
                "button",
                {
                  type: "button",
                  class: "plain",
                  "aria-label": `Take back “${text}”`,
                  title: "Take this back",
                  onclick: () => this.takeBack(index),
                },
                "×",
              ),
            ),
          ),
        )
      : "";
  }

  /**
   * @param {string} text
   * @param {Asked} [before] the prompts that it adds to
   */
  #chip(text, before) {
    return h("button", { type: "button", class: "chip", onclick: () => this.ask(text, before) }, text);
  }

  /** @param {(Node | string)[]} children */
  #tell(...children) {
    this.#part("answer").replaceChildren(...children);
  }

  /** @param {boolean} busy */
  #working(busy) {
    this.#busy = busy;
    this.#part("ask").ariaBusy = String(busy);
    this.#part("ask").classList.toggle("busy", busy);
    clearTimeout(this.#timer);
    // Most answers come at once; a word only where one waits.
    if (busy)
      this.#timer = setTimeout(
        () => this.#tell(h("p", { class: "loading" }, "Looking for the features that mean this…")),
        400,
      );
  }
}
