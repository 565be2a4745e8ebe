// Shows the link to an edit, to be copied.

import { within } from "../shared/dom.js";

export class ShareDialog {
  #root;
  #part;

  /**
   * @param {HTMLDialogElement} root
   * @param {() => void} onCopied
   */
  constructor(root, onCopied) {
    this.#root = root;
    this.#part = within(root);
    const link = this.#part("share-link");
    this.#part("share-copy").addEventListener("click", async () => {
      link.select();
      await navigator.clipboard?.writeText(link.value).catch(() => document.execCommand("copy"));
      root.close();
      onCopied();
    });
    this.#part("share-close").addEventListener("click", () => root.close());
  }

  /** @param {string} link */
  open(link) {
    this.#part("share-link").value = link;
    this.#root.showModal();
    this.#part("share-copy").focus();
  }
}
