// The page's elements, and files that the page gives out.

/** @import { Elements } from "./types.js" */

/**
 * What finds elements by id inside a component's root, which is taken to have them.
 * @param {ParentNode} root
 */
export function within(root) {
  /**
   * @template {string} Id
   * @param {Id} id
   */
  return (id) => {
    /** @type {any} */
    const element = root.querySelector(`#${id}`);
    return /** @type {Id extends keyof Elements ? Elements[Id] : HTMLElement} */ (element);
  };
}

/** A canvas that is on no page yet. */
export function newCanvas(width = 128, height = width) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/**
 * What one draws with on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export const paper = (canvas, settings) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", settings));

/**
 * Where `thumb` finds its pictures.
 * @param {string} url of the sprite sheet
 * @param {number} count of features on it
 */
export function setSprites(url, count) {
  document.documentElement.style.setProperty("--sprites", `url("${url}")`);
  document.documentElement.style.setProperty("--sheet-rows", String(Math.ceil(count / 64)));
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/**
 * @param {number} count
 * @param {string} one
 */
export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/**
 * The element that an event is about.
 * @param {Event} event
 */
export const targetOf = (event) => /** @type {HTMLElement} */ (event.target);

/** @param {Event} event */
export function typing(event) {
  return targetOf(event).matches("textarea, select, input:not([type=range]):not([type=checkbox])");
}
