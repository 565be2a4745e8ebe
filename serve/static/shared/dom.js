// Building elements, and files that the page gives out.

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

/** @typedef {string | number | Node | false | null | undefined} Child */

/**
 * An element with properties (`on…` listeners, `aria-…` and `data-…` attributes) and children; null children are left
 * out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties]
 * @param {(Child | Child[])[]} children
 */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "style") node.style.cssText = value;
    else if (name in node) Object.assign(node, { [name]: value });
    else node.setAttribute(name, value);
  }
  const present = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  node.append(.../** @type {(string | Node)[]} */ (present));
  return node;
}

/**
 * What one draws with on a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export const paper = (canvas, settings) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", settings));

/**
 * A feature's small picture, cut from the sprite sheet; beside its label, so it says nothing to a screen reader.
 * @param {number} id
 */
export function thumb(id, size = 40) {
  const column = id % 64;
  const row = Math.floor(id / 64);
  return h("span", {
    class: "thumb",
    "aria-hidden": "true",
    style: `--size:${size}px;background-position:${-column * size}px ${-row * size}px`,
  });
}

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
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
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
