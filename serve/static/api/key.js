// The key of a server that asks for one, typed by the person and kept as a cookie until the browser is closed. As a cookie
// it goes with pictures and the WebSocket too, which cannot be given headers; pages of other sites cannot make use of it.

import { byId } from "../shared/dom.js";

/** @type {Promise<boolean> | null} */
let asking = null;

/**
 * Ask for the key, whoever needs it; answers whether one was given.
 * @returns {Promise<boolean>}
 */
export function askForKey() {
  asking ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    byId("key-wrong").hidden = !document.cookie.includes("swiggle_key=");
    byId("key-input").value = "";
    dialog.returnValue = "";
    dialog.onclose = () => {
      asking = null;
      const key = byId("key-input").value;
      byId("key-input").value = "";
      if (dialog.returnValue === "use" && key) keep(key);
      resolve(dialog.returnValue === "use" && Boolean(key));
    };
    dialog.showModal();
  });
  return asking;
}

/** @param {string} key */
function keep(key) {
  const text = btoa(String.fromCharCode(...new TextEncoder().encode(key)));
  const coded = text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  const path = new URL(".", document.baseURI).pathname;
  document.cookie = `swiggle_key=${coded}; path=${path}; SameSite=Strict${location.protocol === "https:" ? "; Secure" : ""}`;
}
