// What components show, as templates of lit-html: it changes only what differs, so elements stay with their focus.

import { html, render } from "../vendor/lit-html/lit-html.js";

/**
 * Show a template inside a root. An element with an id that had the focus has it afterwards, even moved or made anew.
 * @param {HTMLElement} root
 * @param {unknown} template
 */
export function show(root, template) {
  const focused = root.contains(document.activeElement) ? document.activeElement : null;
  render(template, root);
  if (!focused?.id || document.activeElement === focused) return;
  /** @type {HTMLElement | null} */
  const again = root.querySelector(`#${focused.id}`);
  again?.focus({ preventScroll: true });
}

/**
 * A feature's small picture, cut from the sprite sheet; beside its label, so it says nothing to a screen reader.
 * @param {number} id
 */
export function thumb(id, size = 40) {
  const [x, y] = [-(id % 64) * size, -Math.floor(id / 64) * size];
  return html`<span class="thumb" aria-hidden="true" style=${`--size:${size}px;background-position:${x}px ${y}px`}></span>`;
}
