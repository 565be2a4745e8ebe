// The large picture with its three small ones: after, before, and where they differ.

import { byId } from "../shared/dom.js";

const GAIN = 3; // a difference of a third of full scale is drawn at full strength

export class Stage {
  #big = byId("picture");
  #small = {};
  #mode = "after";
  #held = false;
  #size = 128;
  #mini = byId("mini");

  constructor() {
    // Where the page is long, a small picture stays in sight.
    new IntersectionObserver(([seen]) => {
      this.#mini.hidden = seen.isIntersecting || document.body.dataset.view !== "play";
      this.#paint();
    }).observe(byId("stage"));
    this.#mini.addEventListener("click", () => {
      byId("character").scrollIntoView();
      byId("character").focus({ preventScroll: true });
    });
    for (const button of document.querySelectorAll("[data-mode]")) {
      this.#small[button.dataset.mode] = button.querySelector("canvas");
      button.addEventListener("click", () => this.show(button.dataset.mode));
    }
    // Press and hold the picture to see it as it was.
    this.#big.addEventListener("pointerdown", () => this.#hold(true));
    for (const end of ["pointerup", "pointerleave", "pointercancel"])
      this.#big.addEventListener(end, () => this.#hold(false));
  }

  /** Canvases hold pictures at the model's size, 128 or more. */
  resize(imageSize) {
    this.#size = Math.max(128, imageSize);
    for (const canvas of [this.#big, ...Object.values(this.#small)]) canvas.width = canvas.height = this.#size;
  }

  show(mode) {
    this.#mode = mode;
    for (const button of document.querySelectorAll("[data-mode]"))
      button.ariaPressed = String(button.dataset.mode === mode);
    this.#big.ariaLabel = {
      after: "The edited character",
      before: "The character before the edit",
      difference: "What the edit changes",
    }[mode];
    this.#paint();
  }

  before(frame) {
    this.#draw(this.#small.before, frame);
    this.after(frame);
  }

  after(frame) {
    this.#draw(this.#small.after, frame);
    this.#compare();
    this.#paint();
  }

  /** The edited picture as a canvas. */
  get picture() {
    return this.#small.after;
  }

  #hold(held) {
    if (this.#held === held) return;
    this.#held = held;
    this.#paint();
  }

  #draw(canvas, frame) {
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    context.drawImage(frame, 0, 0, this.#size, this.#size);
  }

  #pixels(canvas) {
    return canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, this.#size, this.#size);
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
    this.#small.difference.getContext("2d", { willReadFrequently: true }).putImageData(after, 0, 0);
  }

  #paint() {
    const source = this.#small[this.#held ? "before" : this.#mode];
    this.#big.getContext("2d").drawImage(source, 0, 0);
    if (!this.#mini.hidden) this.#mini.firstElementChild.getContext("2d").drawImage(source, 0, 0, 128, 128);
  }
}
