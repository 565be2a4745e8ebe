// What a feature's page and the labelling view both show of a feature.

import { h } from "../shared/dom.js";

/** @import { Api, Card } from "../shared/types.js" */

/**
 * A picture of a feature, with what it shows in words below it.
 * @param {string | null} src
 * @param {string} alt
 * @param {string} caption
 */
export const figure = (src, alt, caption, name = "") =>
  h("figure", { class: name }, h("img", { src, alt, loading: "lazy" }), h("figcaption", {}, caption));

/**
 * How often a feature has which activation where it is active.
 * @param {Card} card
 */
export function histogramOf(card) {
  const top = Math.max(...card.histogram);
  const bars = card.histogram.map((count) =>
    h("span", { style: `height:${Math.max(count ? 4 : 0, (100 * Math.sqrt(count)) / Math.sqrt(top))}%` }),
  );
  return h(
    "figure",
    { class: "histogram" },
    h(
      "div",
      {
        role: "img",
        "aria-label":
          `How strong it is where it is active: mean ${card.mean_activation.toFixed(2)}, ` +
          `at most ${card.max_activation.toFixed(2)}`,
      },
      ...bars,
    ),
    h(
      "figcaption",
      {},
      h("span", {}, "0"),
      h("span", { title: "The heights are square roots of how many pictures" }, "activation where active"),
      h("span", {}, card.max_activation.toFixed(1)),
    ),
  );
}

/**
 * The pictures in which a feature is strongest, with it and without.
 * @param {Api} api
 * @param {Card} card
 */
export function examplesOf(api, card) {
  const at = api.cardPictures(card);
  if (!at.examples) return [h("p", { class: "empty" }, "This feature is active in no picture of the training set.")];
  return [
    h(
      "div",
      { class: "pair" },
      figure(at.examples, "The pictures in which this feature is strongest", "strongest in these"),
      at.ablation ? figure(at.ablation, "The same pictures without this feature", "the same without it") : null,
    ),
  ];
}
