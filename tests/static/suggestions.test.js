import assert from "node:assert/strict";
import { test } from "node:test";
import { requestFor, suggestions, withArticle } from "../../serve/static/editor/suggestions.js";

const feature = (label, more = {}) => ({ label, source: "caption", confidence: 0.9, density: 0.1, dead: false, ...more });

test("a request is worded as people say it", () => {
  assert.equal(requestFor("replace", "shark head", true), "give it a shark head");
  assert.equal(requestFor("replace", "red glasses", true), "give it red glasses");
  assert.equal(requestFor("replace", "lifting weights", false), "lifting weights");
  assert.equal(requestFor("raise", "red body", true), "more red body");
  assert.equal(requestFor("remove", "heart", false), "without heart");
});

test("articles", () => {
  assert.deepEqual(["orange hat", "cross", "dress", "cactus", "stripes"].map(withArticle), [
    "an orange hat", "a cross", "a dress", "a cactus", "stripes",
  ]);
});

test("only what is surely known is suggested, each of another kind", () => {
  const known = [
    feature("shark head", { place: "head" }), feature("pizza head", { place: "head" }), feature("red body", { place: "body" }),
    feature("blurred", { confidence: 0.2 }), feature("dead", { dead: true }), feature("rare", { density: 0 }),
    feature("head, upper"), feature("unexplained", { source: "unexplained" }), feature("one two three four five"),
  ];
  let seed = 0;
  const random = () => (seed = (seed + 0.37) % 1);
  const places = suggestions(known, random).map(({ place }) => place).sort();
  assert.deepEqual(places, ["body", "head"]);
});

test("without places labels differ, and labels by hand are trusted", () => {
  const known = [feature("heart"), feature("heart"), feature("mine", { source: "hand", confidence: 0 })];
  assert.deepEqual(suggestions(known).map(({ label }) => label).sort(), ["heart", "mine"]);
  assert.deepEqual(suggestions([]), []);
});
