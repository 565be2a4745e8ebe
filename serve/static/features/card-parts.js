// What a feature's page and the labelling view both show of a feature.

import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @import { Api, Card } from "../shared/types.js" */

/**
 * A picture of a feature, with what it shows in words below it.
 * @param {string | null} src
 * @param {string} alt
 * @param {string} caption
 */
export const figure = (src, alt, caption, name = "") => html`
  <figure class=${name}><img src=${src ?? nothing} alt=${alt} loading="lazy"><figcaption>${caption}</figcaption></figure>`;

/**
 * How often a feature has which activation where it is active.
 * @param {Card} card
 */
export function histogramOf({ dead, histogram, mean_activation: mean, max_activation: most }) {
  if (!histogram || dead) return nothing;
  const top = Math.max(...histogram);
  /** @param {number} count */
  const height = (count) => Math.max(count ? 4 : 0, (100 * Math.sqrt(count)) / Math.sqrt(top));
  return html`
    <figure class="histogram">
      <div role="img" aria-label=${`How strong it is where it is active: mean ${mean.toFixed(2)}, at most ${most.toFixed(2)}`}
      >${histogram.map((count) => html`<span style=${`height:${height(count)}%`}></span>`)}</div>
      <figcaption>
        <span>0</span>
        <span title="The heights are square roots of how many pictures">activation where active</span>
        <span>${most.toFixed(1)}</span>
      </figcaption>
    </figure>`;
}

/**
 * The pictures in which a feature is strongest, with it and without.
 * @param {Api} api
 * @param {Card} card
 */
export function examplesOf(api, card) {
  const { examples, ablation } = api.cardPictures(card);
  if (!examples) return html`<p class="empty">This feature is active in no picture of the training set.</p>`;
  return html`
    <div class="pair">
      ${figure(examples, "The pictures in which this feature is strongest", "strongest in these")}
      ${ablation ? figure(ablation, "The same pictures without this feature", "the same without it") : nothing}
    </div>`;
}
