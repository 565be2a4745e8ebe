// An exported folder, with the decoder running here. Labels written by hand stay in this browser.

import { ApiError } from "./api-error.js";
import { Decoder, Steering, floatsFromHalves } from "./decoder.js";
import { h } from "../shared/dom.js";
import { wordsOf } from "../shared/words.js";

const TILE = 32;
const COLUMNS = 64;
const EXAMPLES_A_SHEET = 32;
const CARDS_A_FILE = 256;
/** Of a strip: from -2 to 2 in steps of a half. */
const STRENGTHS = 9;

async function fetched(path, kind) {
  const response = await fetch(path);
  if (!response.ok) throw new ApiError(`${path} cannot be read (${response.status}).`, "missing");
  return response[kind]();
}

async function loadImage(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** Tiles of a sheet, given by column and row, as a data URL of `columns` side by side. */
function cut(sheet, tiles, columns = 1, recolour = null) {
  const canvas = h("canvas", { width: columns * TILE, height: Math.ceil(tiles.length / columns) * TILE });
  const context = canvas.getContext("2d", { willReadFrequently: true });
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

const tileOf = (id) => [id % COLUMNS, Math.floor(id / COLUMNS)];

/** Grey to red of that opacity, as the server draws footprints. */
function toRed(data) {
  for (let i = 0; i < data.length; i += 4) [data[i], data[i + 1], data[i + 2], data[i + 3]] = [230, 0, 60, data[i]];
}

export class StaticApi extends EventTarget {
  can = { prompt: false, upload: false, publish: false };
  lost = false;
  #sheets = {};
  #cards = {}; // by file

  static async load(folder) {
    const api = new StaticApi();
    api.folder = folder;
    const at = (name) => `${folder}${name}`;
    const [model, features, samples, latents] = await Promise.all([
      fetched(at("model.json"), "json"),
      fetched(at("features.json"), "json"),
      fetched(at("samples.json"), "json"),
      fetched(at("samples.bin"), "arrayBuffer"),
    ]);
    Object.assign(api, { about: model, rows: features, samples, latents: new Float32Array(latents) });
    api.#sheets.samples = await loadImage(at("samples.png"));
    api.steering = Promise.all([
      fetched(at("decoder.bin"), "arrayBuffer"),
      fetched(at("dictionary.bin"), "arrayBuffer"),
    ]).then(
      ([weights, rows]) =>
        new Steering(
          new Decoder(model.layers, weights, model.image_size),
          floatsFromHalves(rows),
          features.map((feature) => feature.mean_activation),
        ),
    );
    for (const name of ["natural", "one_hot", "footprints"])
      loadImage(at(`${name}.png`)).then((image) => {
        api.#sheets[name] = image;
      });
    return api;
  }

  async model() {
    return this.about;
  }

  async features() {
    const own = this.#own();
    return this.rows.map((row) => this.#named(row, own));
  }

  spritesUrl(kind) {
    return `${this.folder}${kind}.png`;
  }
  sampleUrl(index) {
    return cut(this.#sheets.samples, [tileOf(index)]);
  }
  pictureUrl() {
    return null;
  }

  async random() {
    return { sample: Math.floor(Math.random() * this.about.samples) };
  }

  async open(source) {
    if (!(source.sample < this.about.samples))
      throw new ApiError("This link starts from a picture that is only on the server it came from.", "no_picture");
    const size = this.about.latent_dim;
    this.ready = await this.steering;
    const active = this.samples[source.sample];
    return {
      source,
      active,
      latent: this.latents.subarray(source.sample * size, (source.sample + 1) * size),
      strengths: new Map(active.map(({ id, strength }) => [id, strength])),
    };
  }

  async steer(picture, plan) {
    return this.#draw(picture, plan);
  }

  live({ onFrame, onError }) {
    let waiting = null;
    return {
      by: "here",
      send: (picture, plan) => {
        if (!waiting) {
          requestAnimationFrame(() => {
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

  async edit() {
    throw new ApiError("Prompts need the server.", "needs_server");
  }

  /** Features whose labels hold the words, the share of a label that they make up deciding the order. */
  async search(query, limit = 60) {
    const asked = wordsOf(query);
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

  async card(id) {
    const file = Math.floor(id / CARDS_A_FILE);
    this.#cards[file] ??= fetched(`${this.folder}cards/${file}.json`, "json");
    const card = this.#named((await this.#cards[file])[id % CARDS_A_FILE], this.#own());
    const shown = card.example_ids.length;
    const chunk = Math.floor(id / EXAMPLES_A_SHEET);
    const row = async (file, length, columns) => {
      if (!length) return null;
      this.#sheets[file] ??= await loadImage(this.folder + file);
      return cut(this.#sheets[file], Array.from({ length }, (_, i) => [i, id % EXAMPLES_A_SHEET]), columns);
    };
    return {
      ...card,
      examples: await row(`examples/${chunk}.png`, shown, 3),
      ablation: await row(`without/${chunk}.webp`, Math.min(shown, this.about.ablated), 3),
      strip: await row(`strips/${chunk}.webp`, STRENGTHS, STRENGTHS),
    };
  }

  cardPictures(card) {
    const sheet = (name, recolour) =>
      this.#sheets[name] ? cut(this.#sheets[name], [tileOf(card.id)], 1, recolour) : null;
    return {
      natural: sheet("natural"),
      oneHot: sheet("one_hot"),
      footprint: sheet("footprints", toRed),
      examples: card.examples ?? null,
      ablation: card.ablation ?? null,
      strip: card.strip ?? null,
    };
  }

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

  async putLabels(labels, dictionary = this.about.dictionary) {
    if (dictionary !== this.about.dictionary)
      throw new ApiError("These labels are of another dictionary.", "other_dictionary");
    this.#keep({ ...this.#own(), ...labels });
  }

  #draw(picture, plan) {
    if (plan.operations.some(({ op }) => op === "swap"))
      throw new ApiError("Copying from another picture needs the server.", "needs_server");
    const image = this.ready.steer(picture.latent, picture.strengths, plan);
    const canvas = h("canvas", { width: image.width, height: image.height });
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  get #key() {
    return `swiggle-labels-${this.about.version}`;
  }

  #own() {
    try {
      return JSON.parse(localStorage.getItem(this.#key)) ?? {};
    } catch {
      return {};
    }
  }

  #keep(labels) {
    localStorage.setItem(this.#key, JSON.stringify(labels));
  }

  #named(row, own) {
    return own[row.id] === undefined ? row : { ...row, label: own[row.id], source: "hand", confidence: 1 };
  }
}
