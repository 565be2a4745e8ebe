// An exported folder, with the decoder running here. Labels written by hand stay in this browser.

import { ApiError } from "./api-error.js";
import { Decoder, Steering, floatsFromHalves } from "./decoder.js";
import { newCanvas, paper } from "../shared/dom.js";
import { wordsOf } from "../shared/words.js";

/** @import { Active, ApiMembers, Card, Feature, LiveListeners, Model, Picture, Plan, Source } from "../shared/types.js" */

const TILE = 32;
const COLUMNS = 64;
const EXAMPLES_A_SHEET = 32;
const CARDS_A_FILE = 256;
/** Of a strip: from -2 to 2 in steps of a half. */
const STRENGTHS = 9;

/**
 * @param {string} path
 * @param {"json" | "arrayBuffer"} kind
 * @returns {Promise<any>} as `serve/export.py` wrote it
 */
async function fetched(path, kind) {
  const response = await fetch(path);
  if (!response.ok) throw new ApiError(`${path} cannot be read (${response.status}).`, "missing");
  return response[kind]();
}

/** @param {string} url */
async function loadImage(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/**
 * Tiles of a sheet, given by column and row, as a data URL of `columns` side by side.
 * @param {HTMLImageElement} sheet
 * @param {[number, number][]} tiles
 * @param {((data: Uint8ClampedArray) => void) | null} [recolour]
 */
function cut(sheet, tiles, columns = 1, recolour = null) {
  const canvas = newCanvas(columns * TILE, Math.ceil(tiles.length / columns) * TILE);
  const context = paper(canvas, { willReadFrequently: true });
  tiles.forEach(([column, row], i) =>
    context.drawImage(
      sheet,
      column * TILE,
      row * TILE,
      TILE,
      TILE,
      (i % columns) * TILE,
      Math.floor(i / columns) * TILE,
      TILE,
      TILE,
    ),
  );
  if (recolour) {
    const image = context.getImageData(0, 0, canvas.width, canvas.height);
    recolour(image.data);
    context.putImageData(image, 0, 0);
  }
  return canvas.toDataURL();
}

/**
 * @param {number} id
 * @returns {[number, number]}
 */
const tileOf = (id) => [id % COLUMNS, Math.floor(id / COLUMNS)];

/**
 * Grey to red of that opacity, as the server draws footprints.
 * @param {Uint8ClampedArray} data
 */
function toRed(data) {
  for (let i = 0; i < data.length; i += 4) [data[i], data[i + 1], data[i + 2], data[i + 3]] = [230, 0, 60, data[i]];
}

/** @implements {ApiMembers} */
export class StaticApi extends EventTarget {
  can = { steer: false, prompt: false, upload: false, publish: false };
  lost = false;
  /** @type {Record<string, HTMLImageElement>} */
  #sheets = {};
  /** @type {Record<number, Promise<Card[]>>} */
  #cards = {}; // by file
  /** @type {Steering | null} */
  #ready = null; // once a picture was opened
  /** @type {Promise<Steering> | null} */
  #steering;

  /**
   * @param {string} folder
   * @param {Model} about
   * @param {Feature[]} rows
   * @param {Active[][]} samples
   * @param {Float32Array} latents [samples, latent_dim]
   */
  constructor(folder, about, rows, samples, latents) {
    super();
    this.folder = folder;
    this.about = about;
    this.rows = rows;
    this.samples = samples;
    this.latents = latents;
    this.can.steer = Boolean(about.layers);
    this.#steering = about.layers ? this.#load(about.layers) : null;
  }

  /** @param {string} folder */
  static async load(folder) {
    /** @param {string} name */
    const at = (name) => `${folder}${name}`;
    const [model, features, samples, latents] = await Promise.all([
      fetched(at("model.json"), "json"),
      fetched(at("features.json"), "json"),
      fetched(at("samples.json"), "json"),
      fetched(at("samples.bin"), "arrayBuffer"),
    ]);
    const sheet = await loadImage(at("samples.png"));
    const api = new StaticApi(folder, model, features, samples, new Float32Array(latents));
    api.#sheets.samples = sheet;
    for (const name of ["natural", "one_hot", "footprints"])
      loadImage(at(`${name}.png`)).then((image) => {
        api.#sheets[name] = image;
      });
    return api;
  }

  /**
   * What draws pictures here: the decoder and the dictionary.
   * @param {[number, number][]} layers
   */
  async #load(layers) {
    const [weights, rows] = await Promise.all([
      fetched(`${this.folder}decoder.bin`, "arrayBuffer"),
      fetched(`${this.folder}dictionary.bin`, "arrayBuffer"),
    ]);
    return new Steering(
      new Decoder(layers, weights, this.about.image_size),
      floatsFromHalves(rows),
      this.rows.map((feature) => feature.mean_activation),
    );
  }

  async model() {
    return this.about;
  }

  async features() {
    const own = this.#own();
    return this.rows.map((row) => this.#named(row, own));
  }

  /** @param {string} kind */
  spritesUrl(kind) {
    return `${this.folder}${kind}.png`;
  }
  /** @param {number} index */
  sampleUrl(index) {
    return cut(this.#sheets.samples, [tileOf(index)]);
  }
  pictureUrl() {
    return null;
  }

  async random() {
    return { sample: Math.floor(Math.random() * this.about.samples) };
  }

  /**
   * @param {Source} source
   * @returns {Promise<Picture>}
   */
  async open(source) {
    const { sample } = source;
    if (sample === undefined || sample >= this.about.samples)
      throw new ApiError("This link starts from a picture that is only on the server it came from.", "no_picture");
    const size = this.about.latent_dim ?? 0;
    this.#ready = await this.#steering;
    const active = this.samples[sample];
    return {
      source,
      active,
      latent: this.latents.subarray(sample * size, (sample + 1) * size),
      strengths: new Map(active.map(({ id, strength }) => [id, strength])),
    };
  }

  /**
   * @param {Picture} picture
   * @param {Plan} plan
   */
  async steer(picture, plan) {
    return this.#draw(picture, plan);
  }

  /** @param {LiveListeners} listeners */
  live({ onFrame, onError }) {
    /** @type {{picture: Picture, plan: Plan} | null} */
    let waiting = null;
    return {
      by: "here",
      send: (/** @type {Picture} */ picture, /** @type {Plan} */ plan) => {
        if (!waiting) {
          requestAnimationFrame(() => {
            if (!waiting) return;
            const { picture: newest, plan: wanted } = waiting;
            waiting = null;
            try {
              onFrame(this.#draw(newest, wanted), true);
            } catch (error) {
              onError(error);
            }
          });
        }
        waiting = { picture, plan };
      },
    };
  }

  /** @returns {Promise<never>} */
  async edit() {
    throw new ApiError("Prompts need the server.", "needs_server");
  }

  /**
   * Features whose labels hold the words, the share of a label that they make up deciding the order.
   * @param {string} query
   */
  async search(query, limit = 60) {
    const asked = wordsOf(query);
    /** @param {Feature} feature */
    const score = (feature) => {
      const own = wordsOf(feature.label);
      const hit = asked.filter((word) => own.some((other) => other.startsWith(word)));
      return feature.source === "unexplained"
        ? 0
        : (hit.length / asked.length) * (0.6 + (0.4 * hit.length) / Math.max(1, own.length));
    };
    const found = (await this.features())
      .map((feature) => ({ ...feature, score: asked.length ? score(feature) : 0 }))
      .filter((hit) => hit.score > 0);
    return found.sort((a, b) => b.score - a.score || b.confidence - a.confidence).slice(0, limit);
  }

  /**
   * @param {number} id
   * @returns {Promise<Card>}
   */
  async card(id) {
    const file = Math.floor(id / CARDS_A_FILE);
    this.#cards[file] ??= fetched(`${this.folder}cards/${file}.json`, "json");
    const card = this.#named((await this.#cards[file])[id % CARDS_A_FILE], this.#own());
    const shown = card.example_ids.length;
    const chunk = Math.floor(id / EXAMPLES_A_SHEET);
    /**
     * @param {string} name a sheet with a row for each of some features
     * @param {number} length
     * @param {number} columns
     */
    const row = async (name, length, columns) => {
      if (!length) return null;
      this.#sheets[name] ??= await loadImage(this.folder + name);
      /** @type {[number, number][]} */
      const tiles = Array.from({ length }, (_, i) => [i, id % EXAMPLES_A_SHEET]);
      return cut(this.#sheets[name], tiles, columns);
    };
    return {
      ...card,
      examples: await row(`examples/${chunk}.png`, shown, 3),
      ablation: await row(`without/${chunk}.webp`, Math.min(shown, this.about.ablated ?? 0), 3),
      strip: await row(`strips/${chunk}.webp`, STRENGTHS, STRENGTHS),
    };
  }

  /** @param {{id: number, examples?: string | null, ablation?: string | null, strip?: string | null}} card */
  cardPictures(card) {
    /**
     * @param {string} name
     * @param {(data: Uint8ClampedArray) => void} [recolour]
     */
    const sheet = (name, recolour) =>
      this.#sheets[name] ? cut(this.#sheets[name], [tileOf(card.id)], 1, recolour) : null;
    // Cut and encoded by whoever asks: the pointer over a slider wants the footprint alone.
    return {
      get natural() {
        return sheet("natural");
      },
      get oneHot() {
        return sheet("one_hot");
      },
      get footprint() {
        return sheet("footprints", toRed);
      },
      examples: card.examples ?? null,
      ablation: card.ablation ?? null,
      strip: card.strip ?? null,
    };
  }

  /**
   * @param {number} id
   * @param {string | null} label
   */
  async putLabel(id, label) {
    const own = this.#own();
    if (label === null) delete own[id];
    else own[id] = label;
    this.#keep(own);
    return this.#named(this.rows[id], own);
  }

  async labels() {
    return { labels: this.#own(), dictionary: this.about.dictionary };
  }

  /**
   * @param {Record<string, string>} labels
   * @param {string} [dictionary]
   */
  async putLabels(labels, dictionary = this.about.dictionary) {
    if (dictionary !== this.about.dictionary)
      throw new ApiError("These labels are of another dictionary.", "other_dictionary");
    this.#keep({ ...this.#own(), ...labels });
  }

  /**
   * @param {Picture} picture
   * @param {Plan} plan
   */
  #draw(picture, plan) {
    if (plan.operations.some(({ op }) => op === "swap"))
      throw new ApiError("Copying from another picture needs the server.", "needs_server");
    const { latent, strengths } = picture;
    if (!this.#ready || !latent || !strengths) throw new Error("This picture was not opened here.");
    const image = this.#ready.steer(latent, strengths, plan);
    const canvas = newCanvas(image.width, image.height);
    paper(canvas).putImageData(image, 0, 0);
    return canvas;
  }

  get #key() {
    return `swiggle-labels-${this.about.version}`;
  }

  /** @returns {Record<string, string>} by feature */
  #own() {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? "null") ?? {};
    } catch {
      return {};
    }
  }

  /** @param {Record<string, string>} labels */
  #keep(labels) {
    localStorage.setItem(this.#key, JSON.stringify(labels));
  }

  /**
   * @template {Feature} Row
   * @param {Row} row
   * @param {Record<string, string>} own
   * @returns {Row}
   */
  #named(row, own) {
    return own[row.id] === undefined ? row : { ...row, label: own[row.id], source: "hand", confidence: 1 };
  }
}
