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
 * Counts as bars, which are as high as square roots, so that small counts are seen.
 * @param {number[]} counts
 * @param {string} label
 * @param {string[]} below in words: where it starts, what it is of, where it ends
 */
export function histogram(counts, label, [start, what, end]) {
  const top = Math.max(...counts);
  /** @param {number} count */
  const height = (count) => Math.max(count ? 4 : 0, (100 * Math.sqrt(count)) / Math.sqrt(top));
  return html`
    <figure class="histogram">
      <div role="img" aria-label=${label}>${counts.map((count) => html`<span style=${`height:${height(count)}%`}></span>`)}</div>
      <figcaption><span>${start}</span><span title="The heights are square roots of counts">${what}</span><span>${end}</span></figcaption>
    </figure>`;
}

/**
 * How often a feature has which activation where it is active.
 * @param {Card} card
 */
export function histogramOf({ dead, histogram: counts, mean_activation: mean, max_activation: most }) {
  if (!counts || dead) return nothing;
  const label = `How strong it is where it is active: mean ${mean.toFixed(2)}, at most ${most.toFixed(2)}`;
  return histogram(counts, label, ["0", "activation where active", most.toFixed(1)]);
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
