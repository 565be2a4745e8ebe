// One feature in full: what it looks like, what it is called and why, when it is active, what it does.

import { examplesOf, figure, histogramOf } from "./card-parts.js";
import { isNamed, nameOf } from "./catalogue.js";
import { h, paper, targetOf, thumb, within } from "../shared/dom.js";
import { withStrength } from "../editor/plan.js";

/** @import { Project } from "../editor/project.js" */
/** @import { Child } from "../shared/dom.js" */
/** @import { Api, Card, Feature, PageError } from "../shared/types.js" */
/** @import { Catalogue } from "./catalogue.js" */

/**
 * What a feature's page leads to.
 * @typedef {object} Actions
 * @property {(id: number) => void} onUse
 * @property {(label: string) => void} onAsk
 * @property {(id: number, strength: number) => void} onSet
 * @property {(feature: Feature) => void} onSaved
 * @property {() => void} onClose
 * @property {(error: PageError) => void} onError
 */

const STRIP = [-2, -1, 0, 1, 2];
/** @param {number} value */
const share = (value) => `${(100 * value).toFixed(value < 0.001 ? 3 : value < 0.01 ? 2 : 1)}%`;

export class FeaturePanel {
  #element;
  #part;
  #api;
  #project;
  #catalogue;
  #actions;
  #id = -1;
  /** @type {Element | null} */
  #opener = null; // what had the focus before

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Project} project
   * @param {Catalogue} catalogue
   * @param {Actions} actions
   */
  constructor(root, api, project, catalogue, actions) {
    this.#element = root;
    this.#part = within(root);
    this.#api = api;
    this.#project = project;
    this.#catalogue = catalogue;
    this.#actions = actions;
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#id >= 0 && !targetOf(event).matches("input, dialog *")) this.close();
    });
    project.addEventListener("picture", () => this.#id >= 0 && this.#drawStrip());
  }

  /** @param {number} id */
  async open(id, focus = true) {
    if (!this.#element.contains(document.activeElement)) this.#opener = document.activeElement;
    this.#id = id;
    const known = this.#catalogue.get(id);
    this.#element.hidden = false;
    this.#element.replaceChildren(
      ...this.#head(known ?? { id, label: `feature ${id}`, source: "" }),
      h("p", { class: "loading" }, "Loading…"),
    );
    this.#element.scrollTop = 0;
    if (focus) this.#part("panel-title").focus({ preventScroll: true });
    try {
      const card = await this.#api.card(id);
      if (this.#id === id) this.#draw(card);
    } catch (error) {
      if (this.#id !== id) return;
      this.#element
        .querySelector(".loading")
        ?.replaceWith(
          h(
            "p",
            { class: "error" },
            error.message,
            " ",
            h("button", { type: "button", class: "small", onclick: () => this.open(id) }, "Try again"),
          ),
        );
    }
  }

  close(focus = true) {
    if (this.#id < 0) return;
    this.#id = -1;
    this.#element.hidden = true;
    const opener = this.#opener;
    if (focus && opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    this.#actions.onClose();
  }

  /** @param {Pick<Feature, "id" | "label" | "source">} feature */
  #head(feature) {
    return [
      h(
        "div",
        { class: "panel-head" },
        thumb(feature.id, 56),
        h(
          "div",
          {},
          h("h2", { id: "panel-title", tabindex: -1 }, nameOf(feature)),
          h("p", { class: "number" }, `feature ${feature.id}`),
        ),
        h(
          "button",
          { type: "button", class: "close", "aria-label": "Close", title: "Close (Esc)", onclick: () => this.close() },
          "×",
        ),
        this.#uses(feature),
      ),
    ];
  }

  /**
   * Asking for what a feature is named after makes room for it; its slider alone draws it over what is there.
   * @param {Pick<Feature, "id" | "label" | "source">} feature
   */
  #uses(feature) {
    /**
     * @param {string} text
     * @param {string} title
     * @param {() => void} run
     * @param {boolean} [primary]
     */
    const button = (text, title, run, primary) =>
      h("button", { type: "button", class: primary ? "primary" : "small", title, onclick: run }, text);
    const asks = this.#api.can.prompt && isNamed(feature);
    return h(
      "div",
      { class: "uses" },
      asks
        ? button("Put it in", "In place of what the character has there", () => this.#actions.onAsk(feature.label), true)
        : null,
      button("Use in editor", "Only its slider, on top of what is there", () => this.#actions.onUse(feature.id), !asks),
    );
  }

  /** @param {Card} card */
  #draw(card) {
    const at = this.#api.cardPictures(card);
    /**
     * @param {string} title
     * @param {(Child | Child[])[]} children
     */
    const section = (title, ...children) =>
      children.flat().some(Boolean) ? h("section", {}, h("h3", {}, title), ...children) : null;
    const held = this.#element.contains(document.activeElement);
    this.#element.replaceChildren(
      ...this.#head(card),
      this.#labelForm(card),
      h(
        "div",
        { class: "columns" },
        ...[
          this.#project.picture ? section("On this character", h("div", { class: "strip", id: "strip" })) : null,
          section(
            "Alone",
            h(
              "div",
              { class: "alone" },
              figure(at.natural, `Feature ${card.id} decoded at its usual activation`, "at its usual strength"),
              figure(at.oneHot, `Feature ${card.id} decoded at activation 1`, "at an activation of 1"),
              at.footprint
                ? figure(at.footprint, "Where in the picture this feature acts", "where it acts", "footprint")
                : null,
            ),
            at.strip
              ? figure(
                  at.strip,
                  "One fixed character with the feature at strengths from minus 2 to plus 2",
                  "one fixed character at strengths from −2 to +2",
                  "wide",
                )
              : null,
          ),
          section(
            "When it is active",
            h(
              "p",
              {},
              card.dead
                ? "Never, in the training set."
                : `In ${share(card.density)} of pictures. A strength of 1.0 is its mean activation there, ${card.mean_activation.toFixed(2)}.`,
            ),
            card.histogram && !card.dead ? histogramOf(card) : null,
          ),
          section("Examples", ...examplesOf(this.#api, card), this.#quantiles(card)),
          section("Nearest features", this.#links(card.nearest ?? [])),
          section("Often together with", this.#links((card.company ?? []).map(({ feature }) => feature))),
        ].filter((part) => part !== null),
      ),
    );
    if (held) this.#part("panel-title").focus({ preventScroll: true });
    this.#drawStrip();
  }

  /**
   * Show what somebody else made of a feature meanwhile.
   * @param {number} id
   */
  async #reread(id) {
    const card = await this.#api.card(id);
    this.#catalogue.update(card);
    if (this.#id === id) this.#draw(card);
  }

  /** @param {number[]} ids */
  #links(ids) {
    return ids.length
      ? h(
          "ul",
          { class: "links" },
          ...ids
            .slice(0, 8)
            .map((id) =>
              h(
                "li",
                {},
                h(
                  "button",
                  { type: "button", onclick: () => this.open(id) },
                  thumb(id, 32),
                  h("span", { class: "label", title: this.#catalogue.label(id) }, this.#catalogue.label(id)),
                  h("span", { class: "number" }, `#${id}`),
                ),
              ),
            ),
        )
      : null;
  }

  /** @param {Card} card */
  #quantiles(card) {
    const ids = (card.quantile_example_ids ?? []).filter((id) => this.#api.pictureUrl(id));
    return ids.length
      ? h(
          "figure",
          { class: "quantiles" },
          h(
            "div",
            {},
            ...ids.map((id, i) =>
              h("img", {
                src: this.#api.pictureUrl(id),
                alt: `Example ${i + 1} of ${ids.length} from strong to weak`,
                loading: "lazy",
              }),
            ),
          ),
          h("figcaption", {}, h("span", {}, "strongest"), h("span", {}, "weakest")),
        )
      : null;
  }

  /** @param {Card} card */
  #labelForm(card) {
    const input = h("input", {
      id: "label-input",
      maxlength: 200,
      value: isNamed(card) ? card.label : "",
      placeholder: "What does this feature show?",
      autocomplete: "off",
    });
    const source =
      card.source === "hand"
        ? "written by hand"
        : card.source === "caption"
          ? `from captions, confidence ${card.confidence.toFixed(2)}`
          : card.source === "vision"
            ? `from a vision model, confidence ${card.confidence.toFixed(2)}`
            : "no caption explains it";
    /** @param {string | null} label */
    const save = async (label) => {
      try {
        const saved = await this.#api.putLabel(card.id, label, card.revision);
        this.#catalogue.update(saved);
        this.#actions.onSaved(saved);
        if (this.#id === card.id) this.#draw({ ...card, ...saved });
      } catch (error) {
        this.#actions.onError(error);
        if (error.code === "conflict") this.#reread(card.id);
      }
    };
    return h(
      "form",
      {
        class: "label-form",
        onsubmit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          if (input.value.trim()) save(input.value.trim());
        },
      },
      h("label", { for: "label-input" }, "Label"),
      h("span", { class: "source" }, source),
      h(
        "div",
        { class: "row" },
        input,
        h("button", { type: "submit" }, "Save"),
        card.source === "hand"
          ? h("button", { type: "button", class: "plain", onclick: () => save(null) }, "Take back")
          : null,
      ),
    );
  }

  /** The current character with this feature at five strengths. */
  async #drawStrip() {
    const strip = this.#part("strip");
    const { picture, plan } = this.#project;
    const id = this.#id;
    if (!strip || !picture) return;
    const buttons = STRIP.map((strength) => {
      const canvas = h("canvas", { width: 128, height: 128 });
      const text = strength > 0 ? `+${strength}` : String(strength).replace("-", "−");
      return {
        strength,
        canvas,
        button: h(
          "button",
          { type: "button", "aria-label": `Set to strength ${text}`, onclick: () => this.#actions.onSet(id, strength) },
          canvas,
          h("span", {}, text),
        ),
      };
    });
    strip.replaceChildren(...buttons.map(({ button }) => button));
    for (const { strength, canvas } of buttons) {
      const frame = await this.#api.steer(picture, withStrength(plan, id, strength)).catch(() => null);
      if (!frame || this.#id !== id || this.#project.picture !== picture) return;
      const context = paper(canvas);
      context.imageSmoothingEnabled = false;
      context.drawImage(frame, 0, 0, 128, 128);
    }
  }
}
