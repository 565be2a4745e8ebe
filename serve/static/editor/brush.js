// Painting the part of the picture that an edit may change: 8 x 8 cells.

import { paper, within } from "../shared/dom.js";
import { withMask } from "./plan.js";

/** @import { Mask } from "../shared/types.js" */
/** @import { Project } from "./project.js" */

const SIDE = 8;
/** @returns {Mask} */
const nothing = () => Array.from({ length: SIDE }, () => Array(SIDE).fill(0));

export class Brush {
  #part;
  #canvas;
  #project;
  #announce;
  #cell = [3, 3]; // row and column of the keyboard's cursor
  /** @type {number | null} */
  #painting = null; // the value that is painted

  /**
   * @param {HTMLElement} root
   * @param {Project} project
   * @param {(text: string) => void} announce
   */
  constructor(root, project, announce) {
    this.#part = within(root);
    this.#canvas = this.#part("brush");
    this.#project = project;
    this.#announce = announce;
    this.#part("brush-toggle").addEventListener("click", () => this.#open(this.#canvas.hidden));
    this.#part("brush-done").addEventListener("click", () => this.#open(false));
    this.#part("brush-clear").addEventListener("click", () => {
      this.#apply(null, "edit everywhere");
      this.#open(false);
    });
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
      this.#apply(this.#mask, "paint the area");
    });
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
    this.#canvas.addEventListener("focus", () => this.#draw());
    this.#canvas.addEventListener("blur", () => this.#draw());
    project.addEventListener("plan", () => this.#painting === null && this.#draw());
  }

  /** Something else is looked at. The focus stays where it is. */
  close() {
    if (!this.#canvas.hidden) this.#open(false, false);
  }

  get #mask() {
    return this.#project.area;
  }

  /** @param {boolean} open */
  #open(open, focus = true) {
    this.#canvas.hidden = this.#part("brush-bar").hidden = !open;
    this.#part("brush-toggle").ariaExpanded = String(open);
    this.#draw();
    if (focus) (open ? this.#canvas : this.#part("brush-toggle")).focus();
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
    const painted = structuredClone(this.#mask ?? nothing());
    painted[row][column] = value;
    const mask = painted.flat().some(Boolean) ? painted : null;
    this.#project.change(withMask(this.#project.plan, mask), mask);
    this.#draw();
  }

  /**
   * @param {Mask | null} area
   * @param {string} title
   */
  #apply(area, title) {
    const { plan, asked } = this.#project;
    const masked = asked.map((prompt) => ({ ...prompt, plan: prompt.plan && withMask(prompt.plan, area) }));
    const details = asked.length ? { area, asked: masked } : { area };
    this.#project.finish(withMask(plan, area), title, details, "area");
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
      this.#apply(this.#mask, "paint the area");
    } else if (event.key === "Escape") return this.#open(false);
    else return undefined;
    event.preventDefault();
    const [now, beside] = this.#cell;
    this.#announce(`row ${now + 1}, column ${beside + 1}, ${this.#mask?.[now][beside] ? "painted" : "not painted"}`);
    return this.#draw();
  }

  #draw() {
    this.#part("brush-toggle").ariaPressed = String(this.#mask !== null);
    const icon = paper(this.#part("brush-icon"));
    icon.clearRect(0, 0, SIDE, SIDE);
    icon.fillStyle = getComputedStyle(this.#part("brush-icon")).color;
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
