// Every step of the edit as a small picture; press one to go back to it.

import { byId, h, paper, targetOf } from "../shared/dom.js";

/** @import { Api } from "../shared/types.js" */
/** @import { Project, Step } from "./project.js" */

/**
 * Which way through the history a key leads: -1 back, 1 on, 0 for any other key.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey">} event
 */
export function wayOf({ key, ctrlKey, metaKey, shiftKey }) {
  if (!(ctrlKey || metaKey) || key.toLowerCase() !== "z") return 0;
  return shiftKey ? 1 : -1;
}

/**
 * The steps whose small picture was neither drawn nor asked for yet.
 * @param {Step[]} steps
 */
export const undrawn = (steps) => steps.filter((step) => !step.thumb && !step.asking);

export class History {
  /**
   * @param {Api} api
   * @param {Project} project
   */
  constructor(api, project) {
    this.api = api;
    this.project = project;
    project.addEventListener("step", () => this.#draw());
    byId("undo").addEventListener("click", () => project.go(project.at - 1));
    byId("redo").addEventListener("click", () => project.go(project.at + 1));
    document.addEventListener("keydown", (event) => {
      const way = wayOf(event);
      if (!way) return;
      if (targetOf(event).matches("input[type=text], input[type=search], input:not([type]), textarea")) return;
      event.preventDefault();
      project.go(project.at + way);
    });
  }

  /**
   * The newest frame belongs to the current step. Steps whose own frame was overtaken are drawn now.
   * @param {HTMLCanvasElement} canvas
   */
  keep(canvas) {
    const step = this.project.steps[this.project.at];
    if (!step) return;
    this.#show(step, canvas);
    for (const other of undrawn(this.project.steps)) {
      other.asking = true;
      this.api.steer(other.picture, other.plan).then(
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
    const { project } = this;
    byId("undo").disabled = !project.canUndo;
    byId("redo").disabled = !project.canRedo;
    const list = byId("history");
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
