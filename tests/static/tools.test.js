import assert from "node:assert/strict";
import { test } from "node:test";
import { wayOf } from "../../serve/static/editor/tools.js";

const key = (name, ...held) => ({ key: name, ...Object.fromEntries(held.map((one) => [`${one}Key`, true])) });

test("keys go back and on", () => {
  assert.equal(wayOf(key("z", "ctrl")), -1);
  assert.equal(wayOf(key("z", "meta")), -1);
  assert.equal(wayOf(key("Z", "ctrl", "shift")), 1);
  assert.equal(wayOf(key("Z", "meta", "shift")), 1);
});

test("other keys go nowhere", () => {
  for (const other of [key("z"), key("Z", "shift"), key("z", "alt"), key("y", "ctrl"), key("Enter", "meta")])
    assert.equal(wayOf(other), 0, JSON.stringify(other));
});
