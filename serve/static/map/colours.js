// What the colours of the map mean, in both colour schemes.

import { isNamed, kindOf } from "../features/catalogue.js";

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
const count = (list, key) =>
  list.reduce((counts, item) => counts.set(key(item), (counts.get(key(item)) ?? 0) + 1), new Map());

function ramp(share) {
  const stops = RAMP[scheme()];
  const at = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const [low, high] = [stops[Math.floor(at)], stops[Math.min(stops.length - 1, Math.floor(at) + 1)]];
  return `rgb(${low.map((value, i) => Math.round(value + (at % 1) * (high[i] - value))).join(" ")})`;
}

/** Names for values of a feature: the most frequent get colours of their own. Answers {colours, keys, legend}. */
function categories(features, key, plain) {
  const counts = count(features, key);
  const named = [...counts.keys()].filter((name) => name !== plain).sort((a, b) => counts.get(b) - counts.get(a));
  const palette = dark() ? DARK : LIGHT;
  const colour = new Map(named.map((name, i) => [name, i < palette.length ? palette[i] : PLAIN[scheme()]]));
  if (counts.has(plain)) colour.set(plain, PLAIN[scheme()]);
  return {
    colours: features.map((feature) => colour.get(key(feature))),
    keys: features.map(key),
    legend: [...colour]
      .slice(0, palette.length + 1)
      .map(([name, shade]) => ({ key: name, text: name, colour: shade, count: counts.get(name) })),
  };
}

/** Bins of a number. `bins`: [{upTo, text}] in rising order. */
function levels(features, value, bins) {
  const bin = features.map((feature) => bins.findIndex(({ upTo }) => value(feature) <= upTo));
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

/** Ways to colour the map: name to {text, make(features, strengthOf)}. */
export const COLOURINGS = {
  place: { text: "place", make: (features) => categories(features, kindOf, "unexplained") },
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
