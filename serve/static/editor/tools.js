// What can be done with the edit as a whole: undo and redo, downloads, sharing.

import { download, targetOf, within } from "../shared/dom.js";

/** @import { Project } from "./project.js" */

/**
 * Which way through the history a key leads: -1 back, 1 on, 0 for any other key.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey">} event
 */
export function wayOf({ key, ctrlKey, metaKey, shiftKey }) {
  if (!(ctrlKey || metaKey) || key.toLowerCase() !== "z") return 0;
  return shiftKey ? 1 : -1;
}

export class Tools {
  /**
   * @param {HTMLElement} root
   * @param {Project} project
   * @param {{picture: () => HTMLCanvasElement, onShare: () => void}} actions `picture` answers the edited one
   */
  constructor(root, project, { picture, onShare }) {
    const part = within(root);
    const [undo, redo, menu] = [part("undo"), part("redo"), part("download")];
    project.addEventListener("step", () => {
      undo.disabled = !project.canUndo;
      redo.disabled = !project.canRedo;
    });
    undo.addEventListener("click", () => project.go(project.at - 1));
    redo.addEventListener("click", () => project.go(project.at + 1));
    document.addEventListener("keydown", (event) => {
      const way = wayOf(event);
      if (!way) return;
      if (targetOf(event).matches("input[type=text], input[type=search], input:not([type]), textarea")) return;
      event.preventDefault();
      project.go(project.at + way);
    });
    part("download-png").addEventListener("click", () =>
      picture().toBlob((blob) => blob && download(blob, "swiggle.png")),
    );
    part("download-plan").addEventListener("click", () => {
      const plan = JSON.stringify({ dictionary: project.dictionary, ...project.plan }, null, 1);
      download(new Blob([plan], { type: "application/json" }), "plan.json");
    });
    menu.addEventListener("click", (event) => {
      if (targetOf(event).matches("button")) menu.open = false;
    });
    document.addEventListener("pointerdown", (event) => {
      if (!menu.contains(targetOf(event))) menu.open = false;
    });
    part("share").addEventListener("click", onShare);
  }
}
