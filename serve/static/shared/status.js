// What the page has to say: a passing word, and the banner while the server is away.

import { byId } from "./dom.js";

/** @import { Api } from "./types.js" */

/** @type {number | undefined} */
let timer;

/** @param {string} text */
export function say(text, isError = false) {
  const toast = byId("toast");
  toast.textContent = text;
  toast.classList.toggle("error", isError);
  toast.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => toast.classList.remove("shown"), isError ? 8000 : 3500);
}

/** Something went well since: what failed before is no longer news. */
export function forgive() {
  if (byId("toast").classList.contains("error")) byId("toast").classList.remove("shown");
}

/**
 * `onBack` runs once the server answers again.
 * @param {Api} api
 * @param {() => void} onBack
 */
export function watchServer(api, onBack) {
  const banner = byId("banner");
  const [text] = banner.getElementsByTagName("span");
  const [retry] = banner.getElementsByTagName("button");
  api.addEventListener("lost", () => {
    text.textContent = "The server cannot be reached. Your edit is kept here; trying again…";
    banner.hidden = false;
  });
  api.addEventListener("back", () => {
    banner.hidden = true;
    say("The server is back.");
    onBack();
  });
  retry.addEventListener("click", () => api.retry?.());
}
