// Requests that the page words itself: what to try, and what else might have been meant. They are said as people would
// say them, whatever the pictures show.

import { isNamed } from "../features/catalogue.js";

/** @import { Feature } from "../shared/types.js" */

const MOST = 3;
const LONGEST = 4; // words
const SURE = 0.5; // confidence of an automatic label
const RARE = 0.001; // share of pictures
const TRIES = 60;

/** @type {Record<string, string>} */
const AGAIN = { raise: "more", lower: "less", remove: "without" };

/**
 * A label in a request: "give it a shark head" where labels name places. Other labels are words of any kind, "red",
 * "heart" or "lifting weights", and stand alone.
 * @param {string} action of the request
 * @param {string} label
 * @param {boolean} placed whether it names a place
 */
export function requestFor(action, label, placed) {
  if (AGAIN[action]) return `${AGAIN[action]} ${label}`;
  return placed ? `give it ${withArticle(label)}` : label;
}

/**
 * "a shark head", "an orange hat", "red glasses".
 * @param {string} words
 */
export function withArticle(words) {
  if (/s$/iu.test(words) && !/[su]s$/iu.test(words)) return words; // of more than one
  return `${/^[aeiou]/iu.test(words) ? "an" : "a"} ${words}`;
}

/**
 * A few features that this dictionary can surely be asked for, of different places or at least labels; the surest of
 * some drawn at random.
 * @param {Feature[]} features
 * @param {() => number} random
 */
export function suggestions(features, random = Math.random) {
  const sure = features.filter(
    (f) =>
      !f.dead && isNamed(f) && f.density > RARE && !f.label.includes(",") && f.label.split(" ").length <= LONGEST &&
      (f.source === "hand" || f.confidence > SURE),
  );
  /** @type {Feature[]} */
  const chosen = [];
  /** @param {Feature} feature */
  const like = (feature) =>
    chosen.some((other) => other.label === feature.label || (other.place && other.place === feature.place));
  for (let tries = 0; chosen.length < MOST && tries < TRIES && sure.length; tries += 1) {
    const drawn = [0, 1, 2].map(() => sure[Math.floor(random() * sure.length)]);
    const best = drawn.reduce((one, other) => (trust(other) > trust(one) ? other : one));
    if (!like(best)) chosen.push(best);
  }
  return chosen;
}

/** @param {Feature} feature */
const trust = (feature) => (feature.source === "hand" ? 1 : feature.confidence);
