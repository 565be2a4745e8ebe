// The key of a server that asks for one, typed by the person and kept as a cookie until the browser is closed. As a cookie
// it goes with pictures and the WebSocket too, which cannot be given headers; pages of other sites cannot make use of it.

import { within } from "../shared/dom.js";

export class KeyDialog {
  #root;
  #part;
  /** @type {Promise<boolean> | null} */
  #asking = null;

  /** @param {HTMLDialogElement} root */
  constructor(root) {
    this.#root = root;
    this.#part = within(root);
  }

  /**
   * Ask for the key, whoever needs it; answers whether one was given.
   * @returns {Promise<boolean>}
   */
  ask() {
    this.#asking ??= new Promise((resolve) => {
      const input = this.#part("key-input");
      this.#part("key-wrong").hidden = !document.cookie.includes("swiggle_key=");
      input.value = "";
      this.#root.returnValue = "";
      this.#root.onclose = () => {
        this.#asking = null;
        const key = input.value;
        input.value = "";
        const given = this.#root.returnValue === "use" && key !== "";
        if (given) keep(key);
        resolve(given);
      };
      this.#root.showModal();
    });
    return this.#asking;
  }
}

/** @param {string} key */
function keep(key) {
  const text = btoa(String.fromCharCode(...new TextEncoder().encode(key)));
  const coded = text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  const path = new URL(".", document.baseURI).pathname;
  document.cookie = `swiggle_key=${coded}; path=${path}; SameSite=Strict${location.protocol === "https:" ? "; Secure" : ""}`;
}
