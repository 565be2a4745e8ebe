// Working through many features by keyboard: what is not explained yet, most frequent first.

import { examplesOf, histogramOf } from "../features/card-parts.js";
import { isNamed, nameOf } from "../features/catalogue.js";
import { plural, targetOf, within } from "../shared/dom.js";
import { show } from "../shared/view.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { exportLabels, importLabels } from "./label-files.js";

/** @import { Catalogue } from "../features/catalogue.js" */
/** @import { Api, Card, PageError } from "../shared/types.js" */

/**
 * One step back: where it leads, and if a label was saved, what was there before.
 * @typedef {{at: number, saved: null | {id: number, label: string | null, revision?: number}}} Done
 */

const MOST_SUGGESTIONS = 4;

export class Labelling {
  #element;
  #part;
  #api;
  #catalogue;
  #onError;
  #say;
  /** @type {number[]} */
  #queue = []; // features in the order in which they are shown
  #at = 0;
  /** @type {Done[]} */
  #done = [];
  /** @type {Card | null} */
  #card = null;
  /** @type {string[]} */
  #suggestions = [];
  /** @type {{id: number, card: Promise<Card>} | null} */
  #next = null; // the card after this one, asked for ahead of time

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Catalogue} catalogue
   * @param {{onError: (error: PageError) => void, say: (text: string) => void}} actions
   */
  constructor(root, api, catalogue, { onError, say }) {
    this.#element = root;
    this.#part = within(root);
    this.#api = api;
    this.#catalogue = catalogue;
    this.#onError = onError;
    this.#say = say;
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  async open() {
    const { list } = this.#catalogue;
    if (!this.#queue.length) {
      const open = list.filter((f) => !f.dead && !isNamed(f)).sort((a, b) => b.density - a.density);
      const unsure = list.filter((f) => !f.dead && ["caption", "vision"].includes(f.source)).sort((a, b) => a.confidence - b.confidence);
      this.#queue = [...open, ...unsure].map(({ id }) => id);
    }
    await this.#show();
  }

  /** @returns {number | undefined} */
  get #id() {
    return this.#queue[this.#at];
  }

  async #show() {
    const id = this.#id;
    if (id === undefined) {
      this.#card = null;
      const why = this.#catalogue.list.length ? "Every feature has a label. Well done." : "The features are still loading.";
      show(this.#element, html`${this.#bar()}<p class="empty">${why}</p>`);
      return;
    }
    try {
      const card = await (this.#next?.id === id ? this.#next.card : this.#api.card(id));
      if (id !== this.#id) return;
      this.#card = card;
      this.#draw(card);
      const after = this.#queue[this.#at + 1];
      this.#next = after === undefined ? null : { id: after, card: this.#api.card(after) };
      this.#next?.card.catch(() => {
        this.#next = null;
      });
    } catch (error) {
      const again = html`<button type="button" @click=${() => this.#show()}>Try again</button>`;
      show(this.#element, html`${this.#bar()}<p class="error">${error.message} ${again}</p>`);
    }
  }

  /** @param {Card} card */
  #draw(card) {
    const near = [...(card.nearest ?? []), ...(card.company ?? []).map(({ feature }) => feature)]
      .map((id) => this.#catalogue.get(id))
      .filter((f) => f !== undefined)
      .filter(isNamed);
    this.#suggestions = [...new Set([...(isNamed(card) ? [card.label] : []), ...near.map(({ label }) => label)])].slice(
      0,
      MOST_SUGGESTIONS,
    );
    const at = this.#api.cardPictures(card);
    const suggestions = this.#suggestions.map(
      (label, i) => html` <button type="button" class="chip" @click=${() => this.#save(label)}><kbd>${i + 1}</kbd> ${label}</button>`,
    );
    const by = { caption: "captions at", vision: "a vision model at" }[card.source];
    /** @param {SubmitEvent} event */
    const submit = (event) => {
      event.preventDefault();
      this.#save(this.#part("new-label").value.trim());
    };
    show(
      this.#element,
      html`
        ${this.#bar()}
        <section class="card" aria-labelledby="card-title">
          <div class="looks">
            <img src=${at.natural ?? nothing} alt="The feature decoded alone" class="big">
            <div class="small-looks">
              <img src=${at.oneHot ?? nothing} alt="Its one-hot decode">
              ${at.footprint ? html`<img src=${at.footprint} alt="Where it acts" class="footprint">` : nothing}
            </div>
          </div>
          <div class="words">
            <h2 id="card-title" tabindex="-1">${nameOf(card)} <span class="number">feature ${card.id}</span></h2>
            <p class="source">active in ${(100 * card.density).toFixed(2)}% of pictures${by ? `, label from ${by} confidence ${card.confidence.toFixed(2)}` : nothing}</p>
            <form @submit=${submit}>
              <label for="new-label">Label</label>
              <div class="row">
                <input id="new-label" maxlength="200" autocomplete="off" placeholder="What is common to these pictures?"
                  .value=${live(isNamed(card) ? card.label : "")}>
                <button type="submit" class="primary">Save</button>
              </div>
            </form>
            ${suggestions.length ? html`<p class="chips">Like its neighbours:${suggestions}</p>` : nothing}
            <p class="keys"><kbd>Enter</kbd> accept <kbd>E</kbd> edit <kbd>S</kbd> skip <kbd>Z</kbd> undo</p>
            <p class="row">
              ${suggestions.length ? html`<button type="button" @click=${() => this.#accept()}>Accept “${this.#suggestions[0]}”</button>` : nothing}
              <button type="button" @click=${() => this.#skip()}>Skip</button>
              <button type="button" @click=${() => this.#undo()} ?disabled=${this.#done.length === 0}>Undo</button>
            </p>
            ${histogramOf(card)}
          </div>
          <div class="shown">${examplesOf(this.#api, card)}</div>
        </section>
      `,
    );
    this.#part("card-title").focus({ preventScroll: true });
  }

  #bar() {
    const alive = this.#catalogue.list.filter((f) => !f.dead);
    const named = alive.filter(isNamed).length;
    const byHand = alive.filter((f) => f.source === "hand").length;
    const count = `${named.toLocaleString("en")} of ${plural(alive.length, "live feature")}`;
    /** @param {Event} event */
    const read = ({ target }) => {
      const input = /** @type {HTMLInputElement} */ (target);
      this.#import(input.files?.[0]);
      input.value = ""; // so that the same file can be read again
    };
    return html`
      <div class="label-bar">
        <div>
          <progress max=${Math.max(1, alive.length)} value=${named} aria-label="Features with a label"></progress>
          <p>${count} have a label, ${byHand} of them by hand</p>
        </div>
        <button type="button" class="small" @click=${() => this.#export()}>Export</button>
        <label class="small upload">Import<input type="file" accept="application/json" aria-label="Labels to import" @change=${read}></label>
      </div>`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.#element.hidden || !this.#card || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = targetOf(event);
    if (target.matches("input")) {
      if (event.key === "Escape") this.#part("card-title").focus();
      return;
    }
    const pick = this.#suggestions[Number(event.key) - 1];
    /** @type {Record<string, () => void>} */
    const keys = {
      e: () => this.#edit(),
      s: () => this.#skip(),
      ArrowRight: () => this.#skip(),
      z: () => this.#undo(),
    };
    if (!target.matches("button, summary, a")) keys.Enter = () => this.#accept();
    const run = pick ? () => this.#save(pick) : keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!run) return;
    event.preventDefault();
    run();
  }

  #edit() {
    this.#part("new-label").focus();
    this.#part("new-label").select();
  }

  #accept() {
    const label = this.#part("new-label").value.trim() || this.#suggestions[0];
    if (label) this.#save(label);
    else this.#edit();
  }

  /** @param {string} label */
  async #save(label) {
    if (!label || !this.#card) return;
    const { id } = this.#card;
    const before = this.#catalogue.get(id);
    try {
      const saved = await this.#api.putLabel(id, label, this.#card.revision);
      this.#catalogue.update(saved);
      const was = before?.source === "hand" ? before.label : null;
      this.#done.push({ at: this.#at, saved: { id, label: was, revision: saved.revision } });
    } catch (error) {
      this.#onError(error);
      if (error.code === "conflict") {
        this.#catalogue.update(await this.#api.card(id));
        this.#next = null;
        await this.#show();
      }
      return;
    }
    this.#say(`#${id} is “${label}” now`);
    this.#at += 1;
    await this.#show();
  }

  async #skip() {
    this.#done.push({ at: this.#at, saved: null });
    this.#at += 1;
    await this.#show();
  }

  async #undo() {
    const last = this.#done.pop();
    if (!last) return;
    if (last.saved) {
      try {
        const { id, label, revision } = last.saved;
        this.#catalogue.update(await this.#api.putLabel(id, label, revision));
      } catch (error) {
        this.#done.push(last);
        this.#onError(error);
        return;
      }
    }
    this.#at = last.at;
    this.#next = null;
    await this.#show();
  }

  async #export() {
    try {
      await exportLabels(this.#api);
    } catch (error) {
      this.#onError(error);
    }
  }

  /** @param {File | undefined} file */
  async #import(file) {
    if (!file) return;
    try {
      const count = await importLabels(this.#api, file);
      this.#catalogue.fill(await this.#api.features());
      this.#say(`${plural(count, "label")} imported`);
      await this.#show();
    } catch (error) {
      this.#onError(error);
    }
  }
}
