// One feature in full: what it looks like, what it is called and why, when it is active, what it does.

import { examplesOf, figure, histogramOf } from "./card-parts.js";
import { isNamed, nameOf } from "./catalogue.js";
import { paper, targetOf, within } from "../shared/dom.js";
import { subject } from "../shared/subject.js";
import { show, thumb } from "../shared/view.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { withStrength } from "../editor/plan.js";

/** @import { Project } from "../editor/project.js" */
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
    const head = this.#head(known ?? { id, label: `feature ${id}`, source: "" });
    show(this.#element, html`${head}<p class="loading">Loading…</p>`);
    this.#element.scrollTop = 0;
    if (focus) this.#part("panel-title").focus({ preventScroll: true });
    try {
      const card = await this.#api.card(id);
      if (this.#id === id) this.#draw(card);
    } catch (error) {
      if (this.#id !== id) return;
      const again = html`<button type="button" class="small" @click=${() => this.open(id)}>Try again</button>`;
      show(this.#element, html`${head}<p class="error">${error.message} ${again}</p>`);
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
    return html`
      <div class="panel-head">
        ${thumb(feature.id, 56)}
        <div><h2 id="panel-title" tabindex="-1">${nameOf(feature)}</h2><p class="number">feature ${feature.id}</p></div>
        <button type="button" class="close" aria-label="Close" title="Close (Esc)" @click=${() => this.close()}>×</button>
        ${this.#uses(feature)}
      </div>`;
  }

  /**
   * Asking for what a feature is named after makes room for it; its slider alone draws it over what is there.
   * @param {Pick<Feature, "id" | "label" | "source">} feature
   */
  #uses(feature) {
    if (!this.#api.can.steer) return nothing;
    const asks = this.#api.can.prompt && isNamed(feature);
    return html`
      <div class="uses">
        ${
          asks
            ? html`<button type="button" class="primary" title="In place of what is there"
                @click=${() => this.#actions.onAsk(feature.label)}>Put it in</button>`
            : nothing
        }
        <button type="button" class=${asks ? "small" : "primary"} title="Only its slider, on top of what is there"
          @click=${() => this.#actions.onUse(feature.id)}>Use in editor</button>
      </div>`;
  }

  /** @param {Card} card */
  #draw(card) {
    const at = this.#api.cardPictures(card);
    /**
     * @param {string} title
     * @param {unknown[]} parts
     */
    const section = (title, ...parts) =>
      parts.some((part) => part !== nothing) ? html`<section><h3>${title}</h3>${parts}</section>` : nothing;
    const alone = html`
      <div class="alone">
        ${figure(at.natural, `Feature ${card.id} decoded at its usual activation`, "at its usual strength")}
        ${figure(at.oneHot, `Feature ${card.id} decoded at activation 1`, "at an activation of 1")}
        ${at.footprint ? figure(at.footprint, "Where in the picture this feature acts", "where it acts", "footprint") : nothing}
      </div>`;
    const strip = at.strip
      ? figure(
          at.strip,
          "One fixed picture with the feature at strengths from minus 2 to plus 2",
          "one fixed picture at strengths from −2 to +2",
          "wide",
        )
      : nothing;
    const active = card.dead
      ? "Never, in the training set."
      : `In ${share(card.density)} of pictures. A strength of 1.0 is its mean activation there, ${card.mean_activation.toFixed(2)}.`;
    show(
      this.#element,
      html`
        ${this.#head(card)} ${this.#labelForm(card)}
        <div class="columns">
          ${this.#project.picture ? section(`On this ${subject()}`, this.#strip()) : nothing}
          ${section("Alone", alone, strip)} ${section("When it is active", html`<p>${active}</p>`, histogramOf(card))}
          ${section("Examples", examplesOf(this.#api, card), this.#quantiles(card))}
          ${section("Nearest features", this.#links(card.nearest ?? []))}
          ${section("Often together with", this.#links((card.company ?? []).map(({ feature }) => feature)))}
        </div>
      `,
    );
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
    if (!ids.length) return nothing;
    return html`
      <ul class="links">
        ${ids.slice(0, 8).map((id) => {
          const label = this.#catalogue.label(id);
          return html`
            <li>
              <button type="button" @click=${() => this.open(id)}>
                ${thumb(id, 32)}<span class="label" title=${label}>${label}</span><span class="number">#${id}</span>
              </button>
            </li>`;
        })}
      </ul>`;
  }

  /** @param {Card} card */
  #quantiles(card) {
    const ids = (card.quantile_example_ids ?? []).filter((id) => this.#api.pictureUrl(id));
    if (!ids.length) return nothing;
    return html`
      <figure class="quantiles">
        <div>${ids.map((id, i) => html`<img src=${this.#api.pictureUrl(id) ?? nothing} alt=${`Example ${i + 1} of ${ids.length} from strong to weak`} loading="lazy">`)}</div>
        <figcaption><span>strongest</span><span>weakest</span></figcaption>
      </figure>`;
  }

  /** @param {Card} card */
  #labelForm(card) {
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
    /** @param {SubmitEvent} event */
    const submit = (event) => {
      event.preventDefault();
      const label = this.#part("label-input").value.trim();
      if (label) save(label);
    };
    return html`
      <form class="label-form" @submit=${submit}>
        <label for="label-input">Label</label><span class="source">${source}</span>
        <div class="row">
          <input id="label-input" maxlength="200" autocomplete="off" placeholder="What does this feature show?"
            .value=${live(isNamed(card) ? card.label : "")}>
          <button type="submit">Save</button>
          ${card.source === "hand" ? html`<button type="button" class="plain" @click=${() => save(null)}>Take back</button>` : nothing}
        </div>
      </form>`;
  }

  /** Buttons for five strengths, each with room for a picture. */
  #strip() {
    /** @param {number} strength */
    const button = (strength) => {
      const text = strength > 0 ? `+${strength}` : String(strength).replace("-", "−");
      return html`
        <button type="button" aria-label=${`Set to strength ${text}`} @click=${() => this.#actions.onSet(this.#id, strength)}
        ><canvas width="128" height="128"></canvas><span>${text}</span></button>`;
    };
    return html`<div class="strip" id="strip">${STRIP.map(button)}</div>`;
  }

  /** The current picture with this feature at five strengths. */
  async #drawStrip() {
    const canvases = [...(this.#part("strip")?.getElementsByTagName("canvas") ?? [])];
    const { picture, plan } = this.#project;
    const id = this.#id;
    if (!picture) return;
    for (const canvas of canvases) paper(canvas).clearRect(0, 0, 128, 128);
    for (const [i, canvas] of canvases.entries()) {
      const frame = await this.#api.steer(picture, withStrength(plan, id, STRIP[i])).catch(() => null);
      if (!frame || this.#id !== id || this.#project.picture !== picture) return;
      const context = paper(canvas);
      context.imageSmoothingEnabled = false;
      context.drawImage(frame, 0, 0, 128, 128);
    }
  }
}
