import assert from "node:assert/strict";
import { test } from "node:test";
import { ablated, emptyPlan, withStrength } from "../../serve/static/editor/plan.js";
import { NOTHING_ASKED } from "../../serve/static/editor/project.js";
import { fromFragment, toFragment } from "../../serve/static/editor/share.js";
import { golden } from "./golden.js";
import "./streams.js";

const AREA = Array.from({ length: 8 }, (_, row) => Array(8).fill(row < 4 ? 1 : 0));
const project = (more = {}) => ({
  picture: { source: { sample: 3 } },
  plan: withStrength(emptyPlan(), 5, 1.25),
  asked: NOTHING_ASKED,
  area: null,
  dictionary: "00112233aabbccdd",
  ...more,
});

/** A fragment that says anything at all. */
async function fragmentOf(edit) {
  const packed = new Blob([JSON.stringify(edit)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return `#edit=${Buffer.from(await new Response(packed).arrayBuffer()).toString("base64url")}`;
}

test("a link says again what was being edited", async () => {
  for (const source of [{ sample: 0 }, { picture: 77 }, { image: "data:image/png;base64,AA==" }]) {
    const shared = project({ picture: { source, active: [] } });
    assert.deepEqual(await fromFragment(await toFragment(shared), shared.dictionary), {
      source,
      plan: shared.plan,
      asked: NOTHING_ASKED,
      area: null,
    });
  }
});

test("a link stays within an address, and carries the area", async () => {
  const shared = project({ area: AREA });
  const fragment = await toFragment(shared);
  assert.match(fragment, /^#edit=[\w-]+$/);
  assert.deepEqual((await fromFragment(fragment)).area, AREA);
});

test("every plan that Python reads comes through a link", async () => {
  for (const { read } of golden.plans.filter((one) => one.read)) {
    const shared = project({ plan: read });
    assert.deepEqual((await fromFragment(await toFragment(shared), shared.dictionary)).plan, read);
  }
});

const SHARK = withStrength(emptyPlan(), 5, 1.25);
const BOTH = ablated(SHARK, 6);

test("prompts come through with the plan that each led to, without reasons", async () => {
  const asked = [
    { text: "a shark", plan: SHARK, reasons: [{ features: [5] }] },
    { text: "no hat", plan: BOTH, reasons: [{ features: [] }] },
  ];
  const found = await fromFragment(await toFragment(project({ plan: BOTH, asked })));
  assert.deepEqual(found.asked, [{ text: "a shark", plan: SHARK }, { text: "no hat", plan: BOTH }]);
});

test("what prompts alone make stays apart from what was changed by hand", async () => {
  const found = await fromFragment(await toFragment(project({ plan: BOTH, asked: [{ text: "a shark", plan: SHARK }] })));
  assert.deepEqual(found.plan, BOTH);
  assert.deepEqual(found.asked, [{ text: "a shark", plan: SHARK }]);
});

// Written by the page when links held the number of reasons; their plans set feature 5 to 1.25, and ablate 6.
const OLD = "#edit=VY5LasRADAWvMry1CP4wWegqYRayrYyN292N1B4Ipu8eHLLwbB9UvTrwUvMlRXBLmJaxLCmK_YDRNG3bdX0vMgzjOE0geNptVPABly0HBfeVkIPEc7uaUlaT0-XgrwMpg-FaQPhWKbsp-E7wYhqfZQa3H92dsImv4LiHUOkfkiFI0Sv3eeWaN-hRCeKrTmdOtrTlcv5Dbj6LrSDEdJul4EEwFf_L62r9BQ";
const OLD_BY_HAND = "#edit=tY9NaoZAEESv8lHrJvjDl0VfJbhotRPFcWboHgNB5u7BkIU5QLYFr-rViU81X1MEt4R5ncqaotgXGE3Ttl3X9yLjOE3zDIKnwyYFn3DZc1BwXwk5SLyye1PKanJ1OfjtRMpguBYQ3lXKYQp-EryYxo-ygNuX7knYxTdwPEKo9AvJGKTonXu9c80faKgE8U3nSydb2nO59iEPX8Q2EGJ6LFIwEEzFf_S6f3ow1Fq_AQ";

test("links open that were made when only the last prompt had a plan, and are passed on as they are", async () => {
  for (const [fragment, made] of [[OLD, BOTH], [OLD_BY_HAND, SHARK]]) {
    const found = await fromFragment(fragment, "00112233aabbccdd");
    assert.deepEqual(found.plan, BOTH);
    assert.deepEqual(found.asked, [{ text: "a shark" }, { text: "no hat", plan: made }]);
    assert.deepEqual(await fromFragment(await toFragment(project({ plan: BOTH, asked: found.asked }))), found);
  }
});

test("of an edit with another dictionary only the picture is taken", async () => {
  const fragment = await toFragment(project());
  assert.deepEqual(await fromFragment(fragment, "another"), { source: { sample: 3 }, plan: emptyPlan(), foreign: true });
});

test("a link of before links named their dictionary", async () => {
  const found = await fromFragment(await toFragment(project({ dictionary: undefined })), "00112233aabbccdd");
  assert.equal(found.foreign, undefined);
  assert.equal(found.plan.operations.length, 1);
});

test("no edit in the address", async () => {
  for (const fragment of ["", "#", "#map", "edit=AA"]) assert.equal(await fromFragment(fragment), null);
});

test("a damaged link is told of", async () => {
  const whole = await toFragment(project());
  const fine = { version: 1, source: { sample: 1 }, plan: emptyPlan() };
  assert.ok(await fromFragment(await fragmentOf(fine)));
  for (const broken of [
    "#edit=",
    "#edit=%%",
    "#edit=AAAA",
    whole.slice(0, -4),
    await fragmentOf(null),
    await fragmentOf({ ...fine, source: {} }),
    await fragmentOf({ ...fine, source: { sample: -1 } }),
    await fragmentOf({ ...fine, source: { image: "https://elsewhere.example/a.png" } }),
    await fragmentOf({ ...fine, plan: { operations: [{ op: "paint", feature: 1 }] } }),
    await fragmentOf({ ...fine, area: [[1]] }),
    await fragmentOf({ ...fine, asked: { prompts: "a shark", reasons: 1 } }),
    await fragmentOf({ ...fine, asked: [{ text: 1 }] }),
    await fragmentOf({ ...fine, asked: [{ text: "a shark", plan: { operations: [{ op: "paint" }] } }] }),
  ])
    await assert.rejects(fromFragment(broken), /damaged/, broken);
});
