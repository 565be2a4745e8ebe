// The server, over the public API.

import { LiveFrames } from "./live.js";
import { checkedPlan } from "../editor/plan.js";

/** @import { ApiMembers, LiveListeners, Picture, Plan, Source } from "../shared/types.js" */

const LOST = "The server cannot be reached.";
const RETRY_MS = 1500;
const PAGE = 2048; // features that one answer holds at most

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
const toDataUrl = (blob) =>
  new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.readAsDataURL(blob);
  });

/** @implements {ApiMembers} */
export class HttpApi extends EventTarget {
  can = { steer: true, prompt: true, upload: true, publish: true };
  lost = false;
  #askForKey;
  #version = "";
  /** @type {string | undefined} */
  dictionary;

  /** @param {() => Promise<boolean>} askForKey whether one was given */
  constructor(askForKey) {
    super();
    this.#askForKey = askForKey;
  }

  async model() {
    const model = await this.#get("v1/model");
    this.#version = (model.files?.["atlas/features.parquet"] ?? "").slice(0, 12);
    this.dictionary = model.dictionary;
    return model;
  }

  async features() {
    const all = [];
    for (;;) {
      const { features, total } = await this.#get(`v1/features?limit=${PAGE}&offset=${all.length}`);
      all.push(...features);
      if (!features.length || all.length >= total) return all;
    }
  }

  /** @param {string} kind */
  spritesUrl(kind) {
    return `v1/features/sprites.png?kind=${kind}&v=${this.#version}`;
  }
  /** @param {number} index */
  sampleUrl(index) {
    return `v1/samples/${index}.png`;
  }
  /** @param {number | undefined} id */
  pictureUrl(id) {
    return `v1/pictures/${id}.png`;
  }

  async random() {
    return { picture: (await this.#get("v1/pictures/random")).id };
  }

  /**
   * @param {Source} source
   * @returns {Promise<Picture>}
   */
  async open(source) {
    const url = source.sample !== undefined ? this.sampleUrl(source.sample) : this.pictureUrl(source.picture);
    const image = source.image ?? (await toDataUrl(await (await this.#fetch(url)).blob()));
    const { session, features } = await this.#post("v1/encode", { image, limit: 256 });
    return { source, image, session, active: features };
  }

  /**
   * @param {Picture} picture
   * @param {Plan} plan
   */
  async steer(picture, plan) {
    const response = await this.withPicture(picture, "v1/steer", { plan, format: "png" });
    return createImageBitmap(await response.blob());
  }

  /** @param {LiveListeners} listeners */
  live(listeners) {
    return new LiveFrames(this, listeners);
  }

  /**
   * @param {Picture} picture
   * @param {string} prompt
   */
  async edit(picture, prompt) {
    const made = await (await this.withPicture(picture, "v1/edits", { prompt })).json();
    return { ...made, plan: checkedPlan(made.plan) };
  }

  /** @param {string} query */
  async search(query, limit = 60) {
    return (await this.#get(`v1/features/search?limit=${limit}&query=${encodeURIComponent(query)}`)).features;
  }

  /** @param {number} id */
  async card(id) {
    return this.#get(`v1/features/${id}`);
  }

  /** @param {{id: number, example_ids: number[]}} card */
  cardPictures(card) {
    /** @param {string} name */
    const at = (name) => `v1/features/${card.id}/${name}`;
    const shown = card.example_ids.length > 0;
    return {
      natural: at("preview.png"),
      oneHot: at("preview.png?kind=one_hot"),
      footprint: at("footprint.png"),
      examples: shown ? at("examples.png") : null,
      ablation: shown ? at("ablation.png") : null,
      strip: at("strip.png"),
    };
  }

  /**
   * @param {number} id
   * @param {string | null} label
   * @param {number} [revision]
   */
  async putLabel(id, label, revision) {
    return (await this.#fetch(`v1/features/${id}/label`, this.#json("PUT", { label, revision, dictionary: this.dictionary }))).json();
  }

  async labels() {
    return this.#get("v1/labels");
  }

  /**
   * @param {Record<string, string>} labels
   * @param {string} [dictionary]
   */
  async putLabels(labels, dictionary) {
    await this.#fetch("v1/labels", this.#json("PUT", { labels, dictionary }));
  }

  /**
   * A plan that names its dictionary: the server may have another one since this page was opened.
   * @param {Plan} plan
   */
  named(plan) {
    return { dictionary: this.dictionary, ...plan };
  }

  /**
   * A request about a picture, by its session; one that the server dropped is opened again.
   * @param {Picture} picture
   * @param {string} path
   * @param {{plan?: Plan, prompt?: string, format?: string}} body
   */
  async withPicture(picture, path, body) {
    const named = body.plan ? { ...body, plan: this.named(body.plan) } : body;
    /** @param {{session?: string, image?: string}} which */
    const send = (which) => this.#fetch(path, this.#json("POST", { ...named, ...which }));
    try {
      return await send(picture.session ? { session: picture.session } : { image: picture.image });
    } catch (error) {
      if (error.code !== "session_expired") throw error;
      const { session } = await this.#post("v1/encode", { image: picture.image, limit: 1 });
      picture.session = session;
      return send({ session });
    }
  }

  /** Tell that the server is gone, and ask until it is back. */
  noteLost() {
    if (this.lost) return;
    this.lost = true;
    this.dispatchEvent(new Event("lost"));
    const ask = async () => {
      if (!this.lost) return;
      if (!(await this.retry())) setTimeout(ask, RETRY_MS);
    };
    setTimeout(ask, RETRY_MS);
  }

  /** Whether the server answers. */
  async retry() {
    try {
      if (!(await fetch("healthz", { cache: "no-store" })).ok) return false;
    } catch {
      return false;
    }
    if (this.lost) {
      this.lost = false;
      this.dispatchEvent(new Event("back"));
    }
    return true;
  }

  /**
   * @param {string} path
   * @returns {Promise<any>} as the server's API describes it
   */
  async #get(path) {
    return (await this.#fetch(path)).json();
  }

  /**
   * @param {string} path
   * @param {object} body
   * @returns {Promise<any>}
   */
  async #post(path, body) {
    return (await this.#fetch(path, this.#json("POST", body))).json();
  }

  /**
   * @param {string} method
   * @param {object} body
   */
  #json(method, body) {
    return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   * @returns {Promise<Response>}
   */
  async #fetch(path, options) {
    let response;
    try {
      response = await fetch(path, options);
    } catch {
      this.noteLost();
      throw Object.assign(new Error(LOST), { code: "lost" });
    }
    if (response.ok) return response;
    const { error } = await response
      .json()
      .catch(() => ({ error: { message: `The server answered ${response.status}.` } }));
    if (response.status === 401) {
      if (await this.#askForKey()) return this.#fetch(path, options);
      error.message = "This server asks for an API key. Load the page again to enter it.";
    }
    throw Object.assign(new Error(error.message), { code: error.code });
  }
}
