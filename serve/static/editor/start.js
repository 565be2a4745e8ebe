// Where an edit starts: a sample, a random one or an upload.

import { newCanvas, paper, targetOf, within } from "../shared/dom.js";
import { subject } from "../shared/subject.js";
import { show } from "../shared/view.js";
import { html } from "../vendor/lit-html/lit-html.js";

/** @import { Api, Model, PageError, Source } from "../shared/types.js" */

const MOST_SHOWN = 48;
const KINDS = new Set(["image/png", "image/jpeg", "image/webp"]);

export class Start {
  #part;
  #api;
  #onSource;
  #onError;
  #size = 0; // of the model's pictures

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {object} actions
   * @param {(source: Source, title: string) => void} actions.onSource
   * @param {(error: PageError) => void} actions.onError
   */
  constructor(root, api, { onSource, onError }) {
    this.#part = within(root);
    this.#api = api;
    this.#onSource = onSource;
    this.#onError = onError;
    this.#part("random").addEventListener("click", () => this.#random());
    this.#part("samples").addEventListener("keydown", (event) => this.#walk(event));
    this.#part("upload").addEventListener("change", () => this.upload(this.#part("upload").files?.[0]));
  }

  /** @param {Model} model */
  fill(model) {
    this.#size = model.image_size;
    this.#part("upload-label").hidden = !this.#api.can.upload;
    /** @param {number} index */
    const sample = (index) => html`
      <button type="button" aria-pressed="false" tabindex=${index ? -1 : 0} aria-label=${`Sample ${index + 1}`}
        data-sample=${index} @click=${() => this.#onSource({ sample: index }, `sample ${index + 1}`)}
      ><img src=${this.#api.sampleUrl(index)} alt="" width="48" height="48" loading="lazy"></button>`;
    show(this.#part("samples"), Array.from({ length: Math.min(MOST_SHOWN, model.samples) }, (_, index) => sample(index)));
  }

  /**
   * Show which sample is being edited, if one is.
   * @param {Source} source
   */
  mark(source) {
    for (const button of this.#part("samples").getElementsByTagName("button"))
      button.ariaPressed = String(Number(button.dataset.sample) === source.sample);
  }

  /**
   * The samples are one stop of the Tab key; arrows go from one to the next.
   * @param {KeyboardEvent} event
   */
  #walk(event) {
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    const here = targetOf(event);
    const next = /** @type {HTMLElement | null} */ (
      event.key === "ArrowRight" ? here.nextElementSibling : here.previousElementSibling
    );
    if (!next) return;
    event.preventDefault();
    [here.tabIndex, next.tabIndex] = [-1, 0];
    next.focus();
  }

  /** @param {File | undefined} file */
  async upload(file) {
    this.#part("upload").value = "";
    if (!file) return;
    try {
      if (!KINDS.has(file.type)) throw new Error();
      this.#onSource({ image: await this.#shrunk(file) }, file.name);
    } catch {
      this.#onError(new Error(`“${file.name}” is not a picture that can be read. Use a PNG, JPEG or WebP file.`));
    }
  }

  async #random() {
    try {
      this.#onSource(await this.#api.random(), `a random ${subject()}`);
    } catch (error) {
      this.#onError(error);
    }
  }

  /**
   * A picture file as a square of the model's size, or its own where that is smaller, as a data URL: small enough for a
   * share link. As where pictures are imported, one with transparency is kept whole and of others the middle is taken.
   * The ground below it, and what enlarges it, is the server's matter.
   * @param {File} file
   */
  async #shrunk(file) {
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    const side = isSeeThrough(bitmap) ? Math.max(width, height) : Math.min(width, height);
    // Whole blocks are averaged exactly, so enlarged pixel art comes back as it was drawn.
    const kept = side <= this.#size || (side % this.#size === 0 && side <= 4096);
    const drawn = kept ? side : Math.max(this.#size, Math.min(side, 8 * this.#size));
    const context = paper(newCanvas(drawn), { willReadFrequently: true });
    context.imageSmoothingEnabled = !kept;
    context.imageSmoothingQuality = "high";
    const scale = drawn / side;
    const [left, top] = [Math.ceil((side - width) / 2), Math.ceil((side - height) / 2)];
    context.drawImage(bitmap, left * scale, top * scale, width * scale, height * scale);
    return averaged(context.getImageData(0, 0, drawn, drawn), Math.min(drawn, this.#size));
  }
}

/**
 * Whether a picture has transparency, as far as it shows at 512 pixels a side.
 * @param {ImageBitmap} bitmap
 */
function isSeeThrough(bitmap) {
  const side = Math.min(512, Math.max(bitmap.width, bitmap.height));
  const context = paper(newCanvas(side), { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, side, side);
  return context.getImageData(0, 0, side, side).data.some((value, index) => index % 4 === 3 && value < 255);
}

/**
 * @param {ImageData} image
 * @param {number} size
 */
function averaged(image, size) {
  const block = Math.max(1, Math.floor(image.width / size));
  const small = new ImageData(size, size);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const sums = [0, 0, 0, 0]; // colours by how opaque their pixels are: what is clear has none
      for (let row = 0; row < block; row += 1) {
        const start = 4 * ((y * block + row) * image.width + x * block);
        for (let at = start; at < start + 4 * block; at += 4) {
          const opacity = image.data[at + 3];
          for (let channel = 0; channel < 3; channel += 1) sums[channel] += opacity * image.data[at + channel];
          sums[3] += opacity;
        }
      }
      const place = 4 * (y * size + x);
      for (let channel = 0; channel < 3; channel += 1)
        small.data[place + channel] = sums[3] ? Math.round(sums[channel] / sums[3]) : 0;
      small.data[place + 3] = Math.round(sums[3] / (block * block));
    }
  }
  const canvas = newCanvas(size);
  paper(canvas).putImageData(small, 0, 0);
  return canvas.toDataURL("image/png");
}
