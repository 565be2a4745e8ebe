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

test("prompts come through, with how many reasons they had", async () => {
  const plan = withStrength(emptyPlan(), 5, 1.25);
  const reasons = [{ features: [5] }, { features: [] }];
  const same = project({ plan, asked: { prompts: ["a shark", "no hat"], plan, reasons } });
  const { asked } = await fromFragment(await toFragment(same));
  assert.deepEqual(asked, { prompts: ["a shark", "no hat"], plan, reasons: [{ features: [] }, { features: [] }] });
});

test("what prompts alone make stays apart from what was changed by hand", async () => {
  const made = withStrength(emptyPlan(), 5, 1.25);
  const plan = ablated(made, 6);
  const shared = project({ plan, asked: { prompts: ["a shark"], plan: made, reasons: [] } });
  const found = await fromFragment(await toFragment(shared));
  assert.deepEqual(found.plan, plan);
  assert.deepEqual(found.asked.plan, made);
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
    await fragmentOf({ ...fine, asked: { prompts: ["a shark"], reasons: 1e9 } }),
  ])
    await assert.rejects(fromFragment(broken), /damaged/, broken);
});
