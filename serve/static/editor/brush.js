// Painting the part of the picture that an edit may change: 8 x 8 cells.

import { byId, paper } from "../shared/dom.js";
import { withMask } from "./plan.js";

/** @import { Mask } from "../shared/types.js" */
/** @import { Project } from "./project.js" */

const SIDE = 8;
/** @returns {Mask} */
const nothing = () => Array.from({ length: SIDE }, () => Array(SIDE).fill(0));

export class Brush {
  #canvas = byId("brush");
  #cell = [3, 3]; // row and column of the keyboard's cursor
  /** @type {number | null} */
  #painting = null; // the value that is painted

  /**
   * @param {Project} project
   * @param {(text: string) => void} announce
   */
  constructor(project, announce) {
    this.project = project;
    this.announce = announce;
    byId("brush-toggle").addEventListener("click", () => this.#open(this.#canvas.hidden));
    byId("brush-done").addEventListener("click", () => this.#open(false));
    byId("brush-clear").addEventListener("click", () => {
      this.project.area = null;
      this.#apply("edit everywhere");
      this.#open(false);
    });
    for (const button of document.querySelectorAll("[data-mode]")) {
      button.addEventListener("click", () => this.#canvas.hidden || this.#open(false, false));
    }
    this.#canvas.addEventListener("pointerdown", (event) => {
      this.#canvas.setPointerCapture(event.pointerId);
      const [row, column] = this.#at(event);
      this.#painting = this.#mask?.[row]?.[column] ? 0 : 1;
      this.#paint(row, column, this.#painting);
    });
    this.#canvas.addEventListener("pointermove", (event) => {
      if (this.#painting === null) return;
      const [row, column] = this.#at(event);
      this.#paint(row, column, this.#painting);
    });
    this.#canvas.addEventListener("pointerup", () => {
      this.#painting = null;
      this.#apply("paint the area");
    });
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
    this.#canvas.addEventListener("focus", () => this.#draw());
    this.#canvas.addEventListener("blur", () => this.#draw());
    project.addEventListener("plan", () => this.#painting === null && this.#draw());
  }

  get #mask() {
    return this.project.area;
  }

  /** @param {boolean} open */
  #open(open, focus = true) {
    this.#canvas.hidden = byId("brush-bar").hidden = !open;
    byId("brush-toggle").ariaExpanded = String(open);
    this.#draw();
    if (focus) (open ? this.#canvas : byId("brush-toggle")).focus();
  }

  /** @param {PointerEvent} event */
  #at(event) {
    const { left, top, width } = this.#canvas.getBoundingClientRect();
    /** @param {number} value */
    const clamp = (value) => Math.max(0, Math.min(SIDE - 1, Math.floor((value / width) * SIDE)));
    return [clamp(event.clientY - top), clamp(event.clientX - left)];
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {number} value
   */
  #paint(row, column, value) {
    if (this.#mask?.[row][column] === value) return;
    const mask = structuredClone(this.#mask ?? nothing());
    mask[row][column] = value;
    this.project.area = mask.flat().some(Boolean) ? mask : null;
    this.#draw();
    this.project.change(withMask(this.project.plan, this.#mask));
  }

  /** @param {string} title */
  #apply(title) {
    const { plan, asked } = this.project;
    const masked = asked.map((prompt) => ({ ...prompt, plan: prompt.plan && withMask(prompt.plan, this.#mask) }));
    const details = asked.length ? { asked: masked } : {};
    this.project.finish(withMask(plan, this.#mask), title, details, "area");
    this.#draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const [row, column] = this.#cell;
    if (step)
      this.#cell = [Math.max(0, Math.min(SIDE - 1, row + step[0])), Math.max(0, Math.min(SIDE - 1, column + step[1]))];
    else if (event.key === " ") {
      this.#paint(row, column, this.#mask?.[row][column] ? 0 : 1);
      this.#apply("paint the area");
    } else if (event.key === "Escape") return this.#open(false);
    else return undefined;
    event.preventDefault();
    const [now, beside] = this.#cell;
    this.announce(`row ${now + 1}, column ${beside + 1}, ${this.#mask?.[now][beside] ? "painted" : "not painted"}`);
    return this.#draw();
  }

  #draw() {
    byId("brush-toggle").ariaPressed = String(this.#mask !== null);
    const icon = paper(byId("brush-icon"));
    icon.clearRect(0, 0, SIDE, SIDE);
    icon.fillStyle = getComputedStyle(byId("brush-icon")).color;
    const context = paper(this.#canvas);
    const size = this.#canvas.width / SIDE;
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    for (let row = 0; row < SIDE; row += 1) {
      for (let column = 0; column < SIDE; column += 1) {
        if (!this.#mask || this.#mask[row][column]) icon.fillRect(column, row, 1, 1);
        if (!this.#mask?.[row][column]) {
          context.fillStyle = this.#mask ? "#000a" : "#0003";
          context.fillRect(column * size, row * size, size, size);
        }
        context.strokeStyle = "#fff6";
        context.strokeRect(column * size + 0.5, row * size + 0.5, size - 1, size - 1);
      }
    }
    if (document.activeElement === this.#canvas && this.#canvas.matches(":focus-visible")) {
      context.strokeStyle = "#fff";
      context.lineWidth = 4;
      context.strokeRect(this.#cell[1] * size + 2, this.#cell[0] * size + 2, size - 4, size - 4);
      context.lineWidth = 1;
    }
  }
}
