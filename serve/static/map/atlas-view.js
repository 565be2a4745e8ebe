// The map with its legend, its search and the list that holds the same features for keyboard and screen reader.

import { isNamed, nameOf } from "../features/catalogue.js";
import { COLOURINGS } from "./colours.js";
import { plural, setSprites, targetOf, within } from "../shared/dom.js";
import { show, thumb } from "../shared/view.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { FeatureMap } from "./map.js";
import { operationOn, strengthAfter } from "../editor/plan.js";

/** @import { Project } from "../editor/project.js" */
/** @import { Catalogue } from "../features/catalogue.js" */
/** @import { Api, PageError } from "../shared/types.js" */
/** @import { Colouring, Key } from "./colours.js" */

/**
 * What a search or a lasso found.
 * @typedef {{title: string, ids: number[], scores?: Map<number, number>}} Found
 */

const PAGE = 60;
const MOST_ADDED = 24;
const SEARCH_DELAY_MS = 180;
const LEAST_SCORE = 0.45;

export class AtlasView {
  #part;
  #api;
  #project;
  #catalogue;
  #onOpen;
  #onAdd;
  #onSearch;
  #onError;
  /** @type {boolean[]} */
  #shown = []; // by feature
  #map;
  /** @type {Colouring} */
  #colouring = { colours: [], keys: [], legend: [] };
  /** @type {Set<Key>} */
  #picked = new Set(); // keys of the legend that are switched on; none means all
  /** @type {Found | null} */
  #found = null;
  #pages = 1;
  #asked = 0;
  /** @type {number[] | null} */
  #order = null; // all features, the best known first

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Project} project
   * @param {Catalogue} catalogue
   * @param {object} actions
   * @param {(id: number) => void} actions.onOpen
   * @param {(...ids: number[]) => void} actions.onAdd
   * @param {() => void} actions.onSearch
   * @param {(error: PageError) => void} actions.onError
   */
  constructor(root, api, project, catalogue, { onOpen, onAdd, onSearch, onError }) {
    this.#part = within(root);
    this.#api = api;
    this.#project = project;
    this.#catalogue = catalogue;
    this.#onOpen = onOpen;
    this.#onAdd = onAdd;
    this.#onSearch = onSearch;
    this.#onError = onError;
    this.#map = new FeatureMap(this.#part("map"), {
      hover: (id, x, y) => this.#hover(id, x, y),
      choose: (id) => onOpen(id),
      lasso: (ids) => {
        this.#setLasso(false);
        this.#show(ids.length ? { title: `${plural(ids.length, "feature")} in the lasso`, ids } : null);
      },
    });
    this.#part("zoom-in").addEventListener("click", () => this.#map.zoom(1.6));
    this.#part("zoom-out").addEventListener("click", () => this.#map.zoom(1 / 1.6));
    this.#part("zoom-all").addEventListener("click", () => this.#map.all());
    this.#part("lasso").addEventListener("click", () => this.#setLasso(!this.#map.lassoing));
    this.#part("colour").addEventListener("change", () => {
      this.#picked.clear();
      this.#paint();
    });
    this.#part("pictures").addEventListener("change", () => this.#pictures());
    this.#part("search").addEventListener("input", () => this.#type());
    this.#part("search").addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") {
        event.preventDefault();
        this.#part("list").querySelector("button")?.focus();
      }
    });
    this.#part("list").addEventListener("keydown", (event) => this.#walk(event));
    this.#part("list-clear").addEventListener("click", () => {
      this.#part("search").value = "";
      this.#asked += 1; // a search under way is no longer wanted
      this.#show(null);
      this.#part("search").focus();
    });
    this.#part("list-add").addEventListener("click", () => onAdd(...(this.#found?.ids ?? []).slice(0, MOST_ADDED)));
    catalogue.addEventListener("change", () => this.#refill());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
    for (const name of ["picture", "step"])
      project.addEventListener(name, () => this.#part("colour").value === "here" && this.#paint());
  }

  /**
   * Mark a feature on the map, in sight; -1 for none.
   * @param {number} id
   */
  choose(id) {
    this.#map.choose(id);
    if (id >= 0) this.#map.keepInView(id);
  }

  focusSearch() {
    this.#part("search").scrollIntoView({ block: "center" });
    this.#part("search").focus({ preventScroll: true });
    this.#part("search").select();
  }

  #refill() {
    const { list } = this.#catalogue;
    this.#order = null;
    if (!this.#part("colour").options.length) {
      const ways = Object.entries(COLOURINGS).filter(
        ([name, { needs }]) => (!needs || needs(list)) && (name !== "here" || this.#api.can.steer),
      );
      show(this.#part("colour"), ways.map(([name, { text }]) => html`<option value=${name}>${text}</option>`));
      this.#pictures();
      this.#map.fill(list);
    }
    this.#paint();
  }

  /** What the small pictures of features show, on the map and everywhere else. */
  #pictures() {
    const url = new URL(this.#api.spritesUrl(this.#part("pictures").value), document.baseURI);
    this.#map.show(url.href);
    setSprites(url.href, this.#catalogue.list.length);
  }

  #paint() {
    const { list } = this.#catalogue;
    if (!list.length) return;
    /** @param {number} id */
    const strength = (id) =>
      this.#project.picture ? strengthAfter(operationOn(this.#project.plan, id), this.#project.base(id)) : 0;
    this.#colouring = COLOURINGS[this.#part("colour").value].make(list, strength);
    this.#legend();
    this.#filter();
  }

  #legend() {
    /** @param {Key} key */
    const press = (key) => {
      if (!this.#picked.delete(key)) this.#picked.add(key);
      this.#legend();
      this.#filter();
    };
    show(
      this.#part("legend"),
      this.#colouring.legend.map(
        ({ key, text, colour, count }) => html`
          <button type="button" aria-pressed=${this.#picked.has(key)} @click=${() => press(key)}>
            <span class="swatch" style=${`background:${colour}`}></span>${text}<span class="count">${count.toLocaleString("en")}</span>
          </button>`,
      ),
    );
  }

  #filter() {
    const { colours, keys } = this.#colouring;
    this.#shown = this.#catalogue.list.map((_, id) => this.#picked.size === 0 || this.#picked.has(keys[id]));
    this.#map.paint(colours, this.#shown);
    this.#list();
  }

  /** @param {Found | null} found */
  #show(found) {
    this.#found = found;
    this.#pages = 1;
    this.#map.light(found?.ids ?? null);
    this.#list();
  }

  #type() {
    const query = this.#part("search").value.trim();
    const asked = ++this.#asked;
    if (!query) return this.#show(null);
    this.#onSearch(); // a feature's page lies over the list
    setTimeout(async () => {
      if (asked !== this.#asked) return;
      try {
        const hits = (await this.#api.search(query)).filter((hit) => hit.score >= LEAST_SCORE);
        if (asked !== this.#asked) return;
        this.#show({
          title: hits.length ? `${plural(hits.length, "feature")} for “${query}”` : `Nothing for “${query}”`,
          ids: hits.map(({ id }) => id),
          scores: new Map(hits.map(({ id, score }) => [id, score])),
        });
      } catch (error) {
        this.#onError(error);
      }
    }, SEARCH_DELAY_MS);
    return undefined;
  }

  #list() {
    const all = this.#found?.ids ?? this.#byWorth();
    const ids = all.filter((id) => this.#shown[id] ?? true);
    this.#part("list-title").textContent =
      this.#found?.title ??
      (this.#picked.size ? plural(ids.length, "feature") : `All ${ids.length.toLocaleString("en")} features`);
    this.#part("list-clear").hidden = !this.#found;
    const few = ids.length > 0 && ids.length <= MOST_ADDED;
    this.#part("list-add").hidden = !this.#api.can.steer || !this.#found || !few;
    const more = () => {
      this.#pages += 1;
      this.#list();
    };
    show(
      this.#part("list"),
      html`
        ${repeat(ids.slice(0, this.#pages * PAGE), (id) => id, (id) => this.#item(id))}
        ${
          ids.length > this.#pages * PAGE
            ? html`<li><button type="button" class="small" @click=${more}>Show more</button></li>`
            : nothing
        }
        ${
          ids.length
            ? nothing
            : html`<li class="empty">${this.#why()}</li>`
        }
      `,
    );
  }

  /** Why the list is empty. */
  #why() {
    if (!this.#found) return "Nothing is switched on in the legend.";
    if (!this.#catalogue.list.some(isNamed)) return "No feature has a label yet, so words find none. Look around the map.";
    return "Try another word, or look around the map.";
  }

  /** Sure and frequent features first; put in order once for each state of the catalogue. */
  #byWorth() {
    if (!this.#order) {
      const worth = this.#catalogue.list.map(
        (f) => (isNamed(f) ? 1 + f.confidence : 0) + Math.min(0.5, f.density * 10) - (f.dead ? 3 : 0),
      );
      this.#order = worth.map((_, id) => id).sort((a, b) => worth[b] - worth[a] || a - b);
    }
    return this.#order;
  }

  /** @param {number} id */
  #item(id) {
    const feature = this.#catalogue.get(id);
    const score = this.#found?.scores?.get(id);
    const name = nameOf(feature);
    return html`
      <li>
        <button id=${`item-${id}`} type="button" class="item" @click=${() => this.#onOpen(id)} @focus=${() => this.#map.choose(id)}>
          ${thumb(id, 36)}<span class="label" title=${name}>${name}</span>
          <span class="number">#${id}${score === undefined ? nothing : ` · ${Math.round(100 * score)}%`}</span>
        </button>
        <button id=${`plus-${id}`} type="button" class="plus" aria-label=${`Add ${name}, feature ${id}, to the sliders`}
          title="Add to the sliders" ?hidden=${!this.#api.can.steer} @click=${() => this.#onAdd(id)}>+</button>
      </li>`;
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const here = targetOf(event);
    const column = here.classList.contains("plus") ? ".plus" : ".item";
    /** @type {NodeListOf<HTMLElement>} */
    const found = this.#part("list").querySelectorAll(column);
    const items = [...found];
    const next = items[items.indexOf(here) + step];
    if (next) next.focus();
    else if (step < 0) this.#part("search").focus();
  }

  /** @param {boolean} on */
  #setLasso(on) {
    this.#map.lasso(on);
    this.#part("lasso").ariaPressed = String(on);
  }

  /**
   * @param {number} id
   * @param {number} x
   * @param {number} y
   */
  #hover(id, x, y) {
    const card = this.#part("hover");
    card.hidden = id < 0;
    const feature = this.#catalogue.get(id);
    if (!feature) return;
    const { dead, density, source, confidence, acts_on: actsOn } = feature;
    const strength = this.#project.base(id);
    const often = dead ? "never active" : `in ${(100 * density).toFixed(density < 0.01 ? 2 : 1)}% of pictures`;
    const sure = source === "hand" ? "labelled by hand" : `confidence ${confidence.toFixed(2)}`;
    show(
      card,
      html`
        ${thumb(id, 64)}
        <div>
          <strong>${nameOf(feature)}</strong>
          <span>#${id}${actsOn ? ` · acts on ${actsOn}` : nothing}</span>
          <span>${often}</span>
          ${isNamed(feature) ? html`<span>${sure}</span>` : nothing}
          ${strength > 0 ? html`<span class="here">${strength.toFixed(2)} in this picture</span>` : nothing}
        </div>
      `,
    );
    const frame = this.#part("map-frame");
    const left = x + card.offsetWidth + 24 > frame.clientWidth ? x - card.offsetWidth - 16 : x + 16;
    card.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, Math.min(frame.clientHeight - card.offsetHeight - 4, y - 20))}px)`;
  }
}
