import assert from "node:assert/strict";
import { test } from "node:test";
import { undrawn, wayOf } from "../../serve/static/editor/history.js";

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

test("only steps without a picture that nobody asked for yet are drawn", () => {
  const [done, asked, fresh] = [{ thumb: {} }, { thumb: null, asking: true }, { thumb: null }];
  assert.deepEqual(undrawn([done, asked, fresh]), [fresh]);
});
