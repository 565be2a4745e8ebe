// Saying what should change. Prompts add up: each is asked after the ones before, and can be taken back. What is said of
// them follows the history of the edit.

import { byId, h, plural } from "../shared/dom.js";
import { emptyPlan, operationOn, samePlan, strengthAfter, withMask, withOperation } from "./plan.js";
import { NOTHING_ASKED } from "./project.js";

/** @import { Catalogue } from "../features/catalogue.js" */
/** @import { Api, Asked, Feature, Picture, Plan, Reason } from "../shared/types.js" */
/** @import { Project, Why } from "./project.js" */

/** @type {Record<string, string>} */
const DONE = { replace: "put in", raise: "raised", lower: "lowered", remove: "taken out" };
const MOST_EXPLAINED = 3;
/** @type {Record<string, string>} */
const AGAIN = { replace: "give it", raise: "more", lower: "less", remove: "without" };
/** @param {number} score */
const percent = (score) => `${Math.round(100 * score)}%`;

export class Prompt {
  #busy = false;
  /** @type {Asked | null} */
  #drawn = null; // what was asked, and of which picture, when the answer was last written
  /** @type {Picture | null} */
  #pictured = null;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {Api} api
   * @param {Project} project
   * @param {Catalogue} catalogue
   */
  constructor(api, project, catalogue) {
    this.api = api;
    this.project = project;
    this.catalogue = catalogue;
    byId("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = byId("prompt").value.trim();
      if (text) this.ask(text);
      else this.#tell(h("p", {}, "Say what should change, for example “make it a shark”."));
    });
    if (api.can.prompt) project.addEventListener("step", () => this.#draw());
  }

  /** What the current step of the edit was asked for, or a few ideas. */
  #draw() {
    const { prompts } = this.project.asked;
    if (this.#drawn === this.project.asked && this.#pictured === this.project.picture) return;
    [this.#drawn, this.#pictured] = [this.project.asked, this.project.picture];
    if (prompts.length) this.#tell(this.#said(), ...this.#explanations());
    else {
      this.#tell();
      this.suggest();
    }
  }

  /** Offer a few prompts that this dictionary can surely follow. */
  suggest() {
    const sure = this.catalogue.list.filter(
      (f) =>
        f.source === "caption" && f.confidence > 0.8 && f.place && f.density > 0.001 && f.label.split(" ").length === 2,
    );
    /** @type {Feature[]} */
    const chosen = [];
    for (let tries = 0; chosen.length < 3 && tries < 60 && sure.length; tries += 1) {
      const feature = sure[Math.floor(Math.random() * sure.length)];
      if (!chosen.some((other) => other.place === feature.place || other.label === feature.label)) chosen.push(feature);
    }
    if (this.#busy || !chosen.length || !this.project.picture || this.project.asked.prompts.length) return;
    this.#tell(h("p", { class: "chips" }, "Try ", ...chosen.map((feature) => this.#chip(`give it ${feature.label}`))));
  }

  /** @param {string} text */
  async ask(text, prompts = this.project.asked.prompts) {
    if (this.#busy || !this.project.picture) return;
    this.#working(true);
    const { picture } = this.project;
    const known = prompts.at(-1) === text ? prompts : [...prompts, text];
    try {
      // Each prompt is a sentence: what one says, as "without", is not meant of the next.
      const made = await this.api.edit(picture, known.map((prompt) => prompt.replace(/[\s,.;!?]+$/, "")).join(". "));
      this.#working(false);
      if (this.project.picture === picture) await this.#take(made, known, text);
    } catch (error) {
      this.#working(false);
      this.#tell(h("p", { class: "error" }, error.message));
    }
  }

  /**
   * @param {string} text
   * @returns {Promise<void>}
   */
  async takeBack(text) {
    const prompts = this.project.asked.prompts.filter((other) => other !== text);
    const last = prompts.at(-1);
    if (last !== undefined) return this.ask(last, prompts.slice(0, -1));
    const plan = this.#byHand(emptyPlan());
    return this.project.finish(plan, `take back “${text}”`, {
      pinned: plan.operations.map((o) => o.feature),
      reasons: new Map(),
      asked: NOTHING_ASKED,
    });
  }

  /**
   * A plan with the changes on top that were made by hand, but for features that the plan now treats otherwise.
   * @param {Plan} plan
   */
  #byHand(plan) {
    const before = this.project.asked.plan;
    /**
     * @param {Plan} one
     * @param {Plan} other
     * @param {number} feature
     */
    const same = (one, other, feature) => samePlan(operationOn(one, feature) ?? null, operationOn(other, feature) ?? null);
    const own = this.project.plan.operations.filter(
      ({ feature }) => !same(this.project.plan, before, feature) && same(plan, before, feature),
    );
    return own.reduce(withOperation, plan);
  }

  /**
   * @param {{plan: Plan, reasons: Reason[]}} made
   * @param {string[]} prompts
   * @param {string} text
   */
  async #take(made, prompts, text) {
    // Those of this prompt alone where it was asked after the others, else of all.
    const { asked, area } = this.project;
    const goesOn =
      prompts.length > asked.prompts.length && asked.prompts.every((prompt, index) => prompts[index] === prompt);
    const fresh = goesOn ? made.reasons.slice(asked.reasons.length) : made.reasons;
    const done = fresh.filter((reason) => reason.features.length);
    const missed = fresh.filter((reason) => !reason.features.length);
    if (!fresh.length) {
      return this.#tell(h("p", {}, `I could not find a request in “${text}”. Try “make it a shark”.`), this.#said());
    }
    const newest = done.at(-1);
    if (!newest) return this.#tell(...missed.flatMap((reason) => this.#nothing(reason)), this.#said());
    byId("prompt").value = "";
    const planned = area ? withMask(made.plan, area) : made.plan;
    const plan = this.#byHand(planned);
    this.project.finish(plan, text, {
      pinned: plan.operations.map((o) => o.feature),
      reasons: this.#reasons(made),
      asked: { prompts, plan: planned, reasons: made.reasons },
    });
    const others = newest.alternatives.slice(0, 3);
    byId("answer").append(
      ...(goesOn ? missed.flatMap((reason) => this.#nothing(reason)) : []),
      others.length
        ? h(
            "p",
            { class: "chips" },
            "Or did you mean ",
            ...others.map((label) => this.#chip(`${AGAIN[newest.action]} ${label}`, prompts.slice(0, -1))),
          )
        : "",
    );
    return undefined;
  }

  /** What was done, the newest first. */
  #explanations() {
    const done = /** @type {Reason[]} */ (this.project.asked.reasons.filter((reason) => reason.features.length));
    return done.reverse().slice(0, MOST_EXPLAINED).map((reason) => this.#explained(reason));
  }

  /**
   * Why each feature is in the plan.
   * @param {{plan: Plan, reasons: Reason[]}} made
   */
  #reasons(made) {
    /** @type {Map<number, Why>} */
    const found = new Map();
    for (const reason of made.reasons) {
      for (const id of reason.features) {
        const way =
          strengthAfter(operationOn(made.plan, id), this.project.base(id)) < this.project.base(id) ? "lower" : "raise";
        const match = reason.matched.find(({ feature }) => feature === id);
        const why = match
          ? `means “${match.label}”, ${percent(match.score)} match`
          : way === "lower"
            ? "makes room"
            : "helps to draw it";
        found.set(id, { way, text: `${why}` });
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
    const { prompts } = this.project.asked;
    return prompts.length
      ? h(
          "ul",
          { class: "said", "aria-label": "What you asked for" },
          ...prompts.map((text) =>
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
                  onclick: () => this.takeBack(text),
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
   * @param {string[]} [prompts] those before it
   */
  #chip(text, prompts) {
    return h("button", { type: "button", class: "chip", onclick: () => this.ask(text, prompts) }, text);
  }

  /** @param {(Node | string)[]} children */
  #tell(...children) {
    byId("answer").replaceChildren(...children);
  }

  /** @param {boolean} busy */
  #working(busy) {
    this.#busy = busy;
    byId("ask").ariaBusy = String(busy);
    byId("ask").classList.toggle("busy", busy);
    clearTimeout(this.#timer);
    // Most answers come at once; a word only where one waits.
    if (busy)
      this.#timer = setTimeout(
        () => this.#tell(h("p", { class: "loading" }, "Looking for the features that mean this…")),
        400,
      );
  }
}
