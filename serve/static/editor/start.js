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
   * The middle square of a picture file at the model's size, as a data URL: small enough for a share link.
   * @param {File} file
   */
  async #shrunk(file) {
    const bitmap = await createImageBitmap(file);
    const side = Math.min(bitmap.width, bitmap.height);
    // Whole blocks are averaged exactly, so enlarged pixel art comes back as it was drawn.
    const whole = side % this.#size === 0 && side <= 4096 ? side : Math.max(this.#size, Math.min(side, 8 * this.#size));
    const canvas = newCanvas(whole);
    const context = paper(canvas, { willReadFrequently: true });
    context.imageSmoothingEnabled = whole !== side;
    context.imageSmoothingQuality = "high";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, whole, whole);
    context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, whole, whole);
    return averaged(context.getImageData(0, 0, whole, whole), this.#size);
  }
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
      for (let channel = 0; channel < 4; channel += 1) {
        let sum = 0;
        for (let row = 0; row < block; row += 1) {
          const start = 4 * ((y * block + row) * image.width + x * block) + channel;
          for (let column = 0; column < block; column += 1) sum += image.data[start + 4 * column];
        }
        small.data[4 * (y * size + x) + channel] = Math.round(sum / (block * block));
      }
    }
  }
  const canvas = newCanvas(size);
  paper(canvas).putImageData(small, 0, 0);
  return canvas.toDataURL("image/png");
}
