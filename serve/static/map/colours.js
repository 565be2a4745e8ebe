// What the colours of the map mean, in both colour schemes.

import { isNamed, kindOf } from "../features/catalogue.js";

/** @import { Feature } from "../shared/types.js" */

/**
 * A value of the legend: a name, or the number of a bin.
 * @typedef {string | number} Key
 */

/**
 * How the map is coloured: a colour and a key for each feature, and the legend.
 * @typedef {object} Colouring
 * @property {string[]} colours
 * @property {Key[]} keys
 * @property {{key: Key, text: string, colour: string, count: number}[]} legend
 */

/** @typedef {{upTo: number, text: string}} Bin */

/**
 * A way to colour the map; `needs` tells whether these features can be coloured so.
 * @typedef {object} Way
 * @property {string} text
 * @property {(features: Feature[], strengthOf: (id: number) => number) => Colouring} make
 * @property {(features: Feature[]) => boolean} [needs]
 */

// Hues far enough apart to be told from each other, dark enough on light paper and light enough on dark.
const LIGHT = [
  "#2f6fd0",
  "#d1495b",
  "#1d8a66",
  "#b26a00",
  "#7d4cc2",
  "#0b8793",
  "#b03a8c",
  "#6b7a1e",
  "#8a5a44",
  "#4b5a8a",
];
const DARK = [
  "#7fb0ff",
  "#ff8a95",
  "#5fd3a6",
  "#f0b04a",
  "#c09bff",
  "#5ed0dc",
  "#f08fd0",
  "#bccb5a",
  "#d8a58c",
  "#a3b2e0",
];
const PLAIN = { light: "#b9b6ae", dark: "#55575f" };
// From little to much: one hue, evenly darker on light paper, evenly lighter on dark.
const RAMP = {
  light: [
    [226, 222, 214],
    [214, 96, 77],
    [103, 0, 60],
  ],
  dark: [
    [58, 60, 68],
    [214, 96, 77],
    [255, 224, 150],
  ],
};

const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;
const scheme = () => (dark() ? "dark" : "light");
/**
 * @param {Feature[]} list
 * @param {(feature: Feature) => string} key
 */
function count(list, key) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const item of list) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** @param {number} share */
function ramp(share) {
  const stops = RAMP[scheme()];
  const at = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const [low, high] = [stops[Math.floor(at)], stops[Math.min(stops.length - 1, Math.floor(at) + 1)]];
  return `rgb(${low.map((value, i) => Math.round(value + (at % 1) * (high[i] - value))).join(" ")})`;
}

/**
 * Names for values of a feature: the most frequent get colours of their own.
 * @param {Feature[]} features
 * @param {(feature: Feature) => string} key
 * @param {string} plain the name that never gets a colour
 * @returns {Colouring}
 */
function categories(features, key, plain) {
  const counts = count(features, key);
  /** @param {string} name */
  const size = (name) => counts.get(name) ?? 0;
  const named = [...counts.keys()].filter((name) => name !== plain).sort((a, b) => size(b) - size(a));
  const palette = dark() ? DARK : LIGHT;
  const colour = new Map(named.map((name, i) => [name, i < palette.length ? palette[i] : PLAIN[scheme()]]));
  if (counts.has(plain)) colour.set(plain, PLAIN[scheme()]);
  return {
    colours: features.map((feature) => colour.get(key(feature)) ?? PLAIN[scheme()]),
    keys: features.map(key),
    legend: [...colour]
      .slice(0, palette.length + 1)
      .map(([name, shade]) => ({ key: name, text: name, colour: shade, count: size(name) })),
  };
}

/**
 * Bins of a number.
 * @param {Feature[]} features
 * @param {(feature: Feature) => number} value
 * @param {Bin[]} bins in rising order
 * @returns {Colouring}
 */
function levels(features, value, bins) {
  const bin = features.map((feature) => bins.findIndex(({ upTo }) => value(feature) <= upTo));
  /** @param {number} index */
  const shade = (index) => ramp(index / (bins.length - 1));
  return {
    colours: bin.map(shade),
    keys: bin,
    legend: bins.map(({ text }, index) => ({
      key: index,
      text,
      colour: shade(index),
      count: bin.filter((other) => other === index).length,
    })),
  };
}

const DENSITY = [
  { upTo: 0, text: "never" },
  { upTo: 0.001, text: "under 0.1%" },
  { upTo: 0.01, text: "under 1%" },
  { upTo: 0.1, text: "under 10%" },
  { upTo: 1, text: "over 10%" },
];
const CONFIDENCE = [
  { upTo: 0, text: "no label" },
  { upTo: 0.5, text: "under 0.5" },
  { upTo: 0.7, text: "0.5 to 0.7" },
  { upTo: 0.9, text: "0.7 to 0.9" },
  { upTo: 1, text: "over 0.9" },
];
const STRENGTH = [
  { upTo: 0, text: "not here" },
  { upTo: 0.5, text: "up to 0.5" },
  { upTo: 1, text: "up to 1" },
  { upTo: 2, text: "up to 2" },
  { upTo: Infinity, text: "over 2" },
];

/**
 * Ways to colour the map, by name.
 * @type {Record<string, Way>}
 */
export const COLOURINGS = {
  place: {
    text: "place",
    make: (features) => categories(features, kindOf, "unexplained"),
    needs: (features) => features.some((f) => f.acts_on ?? f.place),
  },
  group: {
    text: "group",
    make: (features) => categories(features, (f) => f.group ?? "no group", "dead"),
    needs: (features) => features.some((f) => f.group),
  },
  here: {
    text: "strength in this picture",
    make: (features, strengthOf) => levels(features, (f) => strengthOf(f.id), STRENGTH),
  },
  confidence: {
    text: "confidence of the label",
    make: (features) => levels(features, (f) => (isNamed(f) ? f.confidence : 0), CONFIDENCE),
  },
  density: { text: "how often it is active", make: (features) => levels(features, (f) => f.density, DENSITY) },
};
