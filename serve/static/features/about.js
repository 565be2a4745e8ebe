// What the model behind the page is and how well it does, as its bundle says.

import { histogram } from "./card-parts.js";
import { isNamed } from "./catalogue.js";
import { within } from "../shared/dom.js";
import { show } from "../shared/view.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { Catalogue } from "./catalogue.js" */
/** @import { Model } from "../shared/types.js" */

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(1)}%`;

export class About {
  #root;
  #part;
  #catalogue;
  /** @type {Model | null} */
  #model = null;

  /**
   * @param {HTMLDialogElement} root
   * @param {Catalogue} catalogue
   */
  constructor(root, catalogue) {
    this.#root = root;
    this.#part = within(root);
    this.#catalogue = catalogue;
  }

  /** @param {Model} model */
  fill(model) {
    this.#model = model;
  }

  open() {
    if (!this.#model) return;
    const { image_size: side, dictionary, metrics = {} } = this.#model;
    const { list } = this.#catalogue;
    const live = list.filter((feature) => !feature.dead);
    const named = live.filter(isNamed).length;
    const found = metrics.sweep_sae ?? metrics.train_sae;
    const psnr = metrics.train_vae?.psnr;
    const densities = found?.density_histogram;
    /**
     * @param {string} name
     * @param {string} meaning
     * @param {unknown} value
     */
    const row = (name, meaning, value) => html`<dt>${name} <span class="source">${meaning}</span></dt><dd>${value}</dd>`;
    show(
      this.#part("about-facts"),
      html`
        <dl class="facts">
          ${row("Pictures", "width and height", `${side} × ${side}`)}
          ${psnr === undefined ? nothing : row("PSNR", "of the autoencoder’s pictures", `${psnr.toFixed(1)} dB`)}
          ${row("Features", "of the dictionary", list.length.toLocaleString("en"))}
          ${row("Live", "active in some picture", live.length.toLocaleString("en"))}
          ${row("Labelled", "of the live ones, by hand or not", `${named.toLocaleString("en")} (${percent(named / Math.max(1, live.length))})`)}
          ${
            found
              ? html`
                  ${row("L0", "features active in a picture, on average", found.l0.toFixed(1))}
                  ${row("FVU", "share of the latents’ variance that is lost", found.fvu.toFixed(3))}
                  ${row("Dense", "features active in over a tenth of pictures", percent(found.dense))}`
              : nothing
          }
          ${row("Dictionary", "its number in plans and labels", html`<code>${dictionary}</code>`)}
        </dl>
        ${
          densities
            ? histogram(densities, "How many features are how dense", ["1 in 100,000", "density: share of pictures", "all"])
            : nothing
        }
        ${found ? nothing : html`<p class="hint">This bundle does not say how its dictionary was measured.</p>`}
      `,
    );
    this.#root.showModal();
  }
}
