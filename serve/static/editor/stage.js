// The large picture with its three small ones: after, before, and where they differ.

import { paper, within } from "../shared/dom.js";

/** @typedef {"after" | "before" | "difference"} Mode */

const GAIN = 3; // a difference of a third of full scale is drawn at full strength

/**
 * The buttons that say what the large picture shows.
 * @param {HTMLElement} root
 */
const modeButtons = (root) =>
  [.../** @type {NodeListOf<HTMLButtonElement>} */ (root.querySelectorAll("[data-mode]"))].map((button) => ({
    button,
    mode: /** @type {Mode} */ (button.dataset.mode),
  }));

export class Stage {
  #part;
  #big;
  /** @type {Record<string, HTMLCanvasElement>} */
  #small = {};
  /** @type {Mode} */
  #mode = "after";
  #held = false;
  #size = 128;
  #mini;
  #modes;

  /**
   * @param {HTMLElement} root
   * @param {{onMode: () => void, onDrop: (file: File | undefined) => void}} actions what happens once another picture is
   *   chosen for the large one, and with a file that is dropped on it
   */
  constructor(root, { onMode, onDrop }) {
    this.#part = within(root);
    this.#big = this.#part("picture");
    this.#mini = this.#part("mini");
    this.#modes = modeButtons(root);
    const stage = this.#part("stage");
    // Where the page is long, a small picture stays in sight.
    new IntersectionObserver(([seen]) => {
      this.#mini.hidden = seen.isIntersecting;
      this.#paint();
    }).observe(stage);
    this.#mini.addEventListener("click", () => {
      root.scrollIntoView();
      root.focus({ preventScroll: true });
    });
    stage.addEventListener("dragover", (event) => event.preventDefault());
    stage.addEventListener("drop", (event) => {
      event.preventDefault();
      onDrop(event.dataTransfer?.files[0]);
    });
    for (const { mode, button } of this.#modes) {
      [this.#small[mode]] = button.getElementsByTagName("canvas");
      button.addEventListener("click", () => {
        this.show(mode);
        onMode();
      });
    }
    // Press and hold the picture to see it as it was.
    this.#big.addEventListener("pointerdown", () => this.#hold(true));
    for (const end of ["pointerup", "pointerleave", "pointercancel"])
      this.#big.addEventListener(end, () => this.#hold(false));
  }

  /**
   * Canvases hold pictures at the model's size, 128 or more.
   * @param {number} imageSize
   */
  resize(imageSize) {
    this.#size = Math.max(128, imageSize);
    for (const canvas of [this.#big, ...Object.values(this.#small)]) canvas.width = canvas.height = this.#size;
  }

  /** @param {Mode} mode */
  show(mode) {
    this.#mode = mode;
    for (const other of this.#modes) other.button.ariaPressed = String(other.mode === mode);
    this.#big.ariaLabel = {
      after: "The edited picture",
      before: "The picture before the edit",
      difference: "What the edit changes",
    }[mode];
    this.#paint();
  }

  /** @param {boolean} on whether another picture is on its way */
  loading(on) {
    this.#part("stage").classList.toggle("loading", on);
  }

  /** @param {string | null} url of what lies over the picture; null for nothing */
  overlay(url) {
    const image = this.#part("where");
    image.hidden = !url;
    if (url) image.src = url;
  }

  /** @param {string | undefined} image a data URL of somebody's own picture */
  uploaded(image) {
    const figure = this.#part("uploaded");
    figure.hidden = !image;
    if (image) figure.getElementsByTagName("img")[0].src = image;
  }

  /** @param {CanvasImageSource} frame */
  before(frame) {
    this.#draw(this.#small.before, frame);
    this.after(frame);
  }

  /** @param {CanvasImageSource} frame */
  after(frame) {
    this.#draw(this.#small.after, frame);
    this.#compare();
    this.#paint();
  }

  /** The edited picture as a canvas. */
  get picture() {
    return this.#small.after;
  }

  /** @param {boolean} held */
  #hold(held) {
    if (this.#held === held) return;
    this.#held = held;
    this.#paint();
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {CanvasImageSource} frame
   */
  #draw(canvas, frame) {
    const context = paper(canvas, { willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    context.drawImage(frame, 0, 0, this.#size, this.#size);
  }

  /** @param {HTMLCanvasElement} canvas */
  #pixels(canvas) {
    return paper(canvas, { willReadFrequently: true }).getImageData(0, 0, this.#size, this.#size);
  }

  #compare() {
    const before = this.#pixels(this.#small.before).data;
    const after = this.#pixels(this.#small.after);
    const { data } = after;
    for (let i = 0; i < data.length; i += 4) {
      const moved = Math.max(
        Math.abs(data[i] - before[i]),
        Math.abs(data[i + 1] - before[i + 1]),
        Math.abs(data[i + 2] - before[i + 2]),
      );
      const weight = Math.min(1, (GAIN * moved) / 255);
      const grey = 0.3 * data[i] + 0.59 * data[i + 1] + 0.11 * data[i + 2];
      const faint = 205 + 0.15 * grey;
      data[i] = faint + weight * (210 - faint);
      data[i + 1] = faint + weight * (40 - faint);
      data[i + 2] = faint + weight * (90 - faint);
    }
    paper(this.#small.difference, { willReadFrequently: true }).putImageData(after, 0, 0);
  }

  #paint() {
    const source = this.#small[this.#held ? "before" : this.#mode];
    paper(this.#big).drawImage(source, 0, 0);
    if (!this.#mini.hidden) paper(this.#mini.getElementsByTagName("canvas")[0]).drawImage(source, 0, 0, 128, 128);
  }
}
