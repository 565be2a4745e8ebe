// From a source to a picture on the stage, and from every plan to what it makes of that picture.

import { emptyPlan } from "./plan.js";

/** @import { Api, Asked, Live, Mask, PageError, Plan, Source } from "../shared/types.js" */
/** @import { Project } from "./project.js" */
/** @import { Stage } from "./stage.js" */

export class Drawing {
  #api;
  #project;
  #stage;
  #onError;
  /** @type {Live} */
  #frames;
  #settled = true; // whether the newest frame belongs to the newest step
  #opened = 0; // pictures asked for so far: one that comes late is not shown

  /**
   * @param {Api} api
   * @param {Project} project
   * @param {Stage} stage
   * @param {object} actions
   * @param {() => void} actions.onSettled the stage shows the newest step
   * @param {(error: PageError) => void} actions.onError
   */
  constructor(api, project, stage, { onSettled, onError }) {
    this.#api = api;
    this.#project = project;
    this.#stage = stage;
    this.#onError = onError;
    this.#frames = api.live({
      onFrame: (frame, newest) => {
        stage.after(frame);
        if (newest && this.#settled) onSettled();
      },
      onError,
    });
    project.addEventListener("picture", () => {
      if (project.picture?.before) stage.before(project.picture.before);
    });
    for (const name of ["plan", "step"])
      project.addEventListener(name, () => {
        this.#settled = name === "step";
        this.draw();
      });
  }

  /** Draw the current plan, as after the server was away. */
  draw() {
    const { picture, plan } = this.#project;
    if (picture) this.#frames.send(picture, plan);
  }

  /**
   * @param {Source} source
   * @param {Plan} plan
   * @param {string} title
   * @param {{asked?: Asked, area?: Mask | null}} [how]
   */
  async open(source, plan, title, how = {}) {
    const turn = ++this.#opened;
    this.#stage.loading(true);
    try {
      const picture = await this.#api.open(source);
      picture.before = await this.#api.steer(picture, emptyPlan());
      if (turn !== this.#opened) return;
      this.#stage.before(picture.before);
      this.#project.open(picture, plan, title, how);
    } catch (error) {
      if (turn === this.#opened) this.#onError(error);
    }
    if (turn === this.#opened) this.#stage.loading(false);
  }
}
