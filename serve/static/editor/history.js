// Every step of the edit as a small picture; press one to go back to it.

import { newCanvas, paper } from "../shared/dom.js";
import { show } from "../shared/view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { undrawn } from "./project.js";

/** @import { Api } from "../shared/types.js" */
/** @import { Project, Step } from "./project.js" */

export class History {
  #api;
  #project;
  #root;

  /**
   * @param {HTMLElement} root
   * @param {Api} api
   * @param {Project} project
   */
  constructor(root, api, project) {
    this.#root = root;
    this.#api = api;
    this.#project = project;
    project.addEventListener("step", () => this.#draw());
  }

  /**
   * The newest frame belongs to the current step. Steps whose own frame was overtaken are drawn now.
   * @param {HTMLCanvasElement} canvas
   */
  keep(canvas) {
    const step = this.#project.steps[this.#project.at];
    if (!step) return;
    this.#show(step, canvas);
    for (const other of undrawn(this.#project.steps)) {
      other.asking = true;
      this.#api.steer(other.picture, other.plan).then(
        (frame) => this.#show(other, frame),
        () => (other.asking = false),
      );
    }
  }

  /**
   * @param {Step} step
   * @param {CanvasImageSource} picture
   */
  #show(step, picture) {
    const small = newCanvas(64);
    const context = paper(small);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, 64, 64);
    step.thumb = small;
    this.#draw();
  }

  #draw() {
    const { steps, at } = this.#project;
    /**
     * @param {Step} step
     * @param {number} index
     */
    const item = ({ title, thumb }, index) => html`
      <li>
        <button type="button" title=${title} aria-label=${`${title}, step ${index + 1}`} class=${index > at ? "ahead" : ""}
          aria-current=${index === at ? "step" : nothing} @click=${() => this.#project.go(index)}
        >${thumb ?? html`<span class="blank"></span>`}</button>
      </li>`;
    show(this.#root, repeat(steps, (step) => step, item));
    const current = this.#root.querySelector("[aria-current]")?.parentElement;
    if (current) this.#root.scrollLeft = current.offsetLeft - this.#root.clientWidth + 80;
  }
}
