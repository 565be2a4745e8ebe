// Every step of the edit as a small picture; press one to go back to it.

import { h, paper } from "../shared/dom.js";
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
    const small = h("canvas", { width: 64, height: 64 });
    const context = paper(small);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, 64, 64);
    step.thumb = small;
    this.#draw();
  }

  #draw() {
    const project = this.#project;
    const list = this.#root;
    const focused = list.contains(document.activeElement);
    list.replaceChildren(
      ...project.steps.map((step, index) =>
        h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              title: step.title,
              "aria-label": `${step.title}, step ${index + 1}`,
              "aria-current": index === project.at ? "step" : undefined,
              class: index > project.at ? "ahead" : "",
              onclick: () => project.go(index),
            },
            step.thumb ?? h("span", { class: "blank" }),
          ),
        ),
      ),
    );
    /** @type {HTMLElement | null} */
    const current = list.querySelector("[aria-current]");
    if (current?.parentElement) list.scrollLeft = current.parentElement.offsetLeft - list.clientWidth + 80;
    if (focused) current?.focus({ preventScroll: true });
  }
}
