// What the page has to say: a passing word, and the banner while the server is away.

/** @import { Api } from "./types.js" */

export class Toast {
  #root;
  /** @type {number | undefined} */
  #timer;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /** @param {string} text */
  say(text, isError = false) {
    this.#root.textContent = text;
    this.#root.classList.toggle("error", isError);
    this.#root.classList.add("shown");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#root.classList.remove("shown"), isError ? 8000 : 3500);
  }

  /** Something went well since: what failed before is no longer news. */
  forgive() {
    if (this.#root.classList.contains("error")) this.#root.classList.remove("shown");
  }
}

/**
 * Shows the banner while the server is away; `onBack` runs once it answers again.
 * @param {HTMLElement} banner
 * @param {Api} api
 * @param {() => void} onBack
 */
export function watchServer(banner, api, onBack) {
  const [text] = banner.getElementsByTagName("span");
  const [retry] = banner.getElementsByTagName("button");
  api.addEventListener("lost", () => {
    text.textContent = "The server cannot be reached. Your edit is kept here; trying again…";
    banner.hidden = false;
  });
  api.addEventListener("back", () => {
    banner.hidden = true;
    onBack();
  });
  retry.addEventListener("click", () => api.retry?.());
}
