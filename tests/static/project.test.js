import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { emptyPlan, withStrength } from "../../serve/static/editor/plan.js";
import { NOTHING_ASKED, Project, undrawn } from "../../serve/static/editor/project.js";

const picture = (strength = 0.5) => ({ source: { sample: 0 }, active: [{ id: 7, strength }] });
const set = (strength, feature = 1) => withStrength(emptyPlan(), feature, strength);
let project;
let events;

beforeEach(() => {
  project = new Project();
  project.open(picture(), emptyPlan(), "sample 1");
  events = [];
  for (const name of ["picture", "rows", "plan", "step"]) project.addEventListener(name, () => events.push(name));
});

test("a picture that is opened is the first step and tells how strong its features are", () => {
  const other = new Project();
  other.addEventListener("picture", () => events.push("picture"));
  other.open(picture(0.25), set(2), "a shared edit");
  assert.deepEqual(events, ["picture"]);
  assert.deepEqual([other.steps.length, other.at, other.steps[0].title], [1, 0, "a shared edit"]);
  assert.deepEqual([other.base(7), other.base(8)], [0.25, 0]);
  assert.deepEqual(other.pinned, [1]);
});

test("while a slider moves, nothing is a step", () => {
  project.change(set(1));
  project.change(set(2));
  assert.deepEqual(events, ["plan", "plan"]);
  assert.equal(project.steps.length, 1);
});

test("a finished change is a step, once", () => {
  project.change(set(2));
  project.finish(set(2), "set");
  project.finish(set(2), "set again");
  assert.deepEqual(events, ["plan", "step"]);
  assert.equal(project.steps.length, 2);
});

test("steps go back and forth", () => {
  project.finish(set(1), "one");
  project.finish(set(2), "two");
  assert.deepEqual([project.canUndo, project.canRedo], [true, false]);
  project.go(1);
  assert.deepEqual(project.plan, set(1));
  assert.deepEqual([project.canUndo, project.canRedo], [true, true]);
  project.go(0);
  assert.deepEqual([project.canUndo, project.canRedo], [false, true]);
  project.go(2);
  assert.deepEqual(project.plan, set(2));
});

test("there is no step beyond the ends", () => {
  for (const index of [-1, 0, 1]) project.go(index);
  assert.equal(project.at, 0);
  assert.deepEqual(events, []);
});

test("a change after going back takes the place of what was ahead", () => {
  project.finish(set(1), "one");
  project.finish(set(2), "two");
  project.go(1);
  project.finish(set(3), "three");
  assert.deepEqual(
    project.steps.map(({ title }) => title),
    ["sample 1", "one", "three"],
  );
});

test("many changes of one thing in one go are one step", () => {
  project.finish(set(1), "1.00", {}, "slider 1");
  project.finish(set(2), "2.00", {}, "slider 1");
  project.finish(set(1, 2), "1.00", {}, "slider 2");
  assert.deepEqual(
    project.steps.map(({ title }) => title),
    ["sample 1", "2.00", "1.00"],
  );
});

test("changes of one thing a while apart are steps of their own", (t) => {
  t.mock.method(performance, "now", () => 0);
  project.finish(set(1), "1.00", {}, "slider 1");
  performance.now.mock.mockImplementation(() => 1499);
  project.finish(set(2), "2.00", {}, "slider 1");
  performance.now.mock.mockImplementation(() => 3000);
  project.finish(set(3), "3.00", {}, "slider 1");
  assert.deepEqual(
    project.steps.map(({ title }) => title),
    ["sample 1", "2.00", "3.00"],
  );
});

test("the history holds a hundred steps, the newest", () => {
  for (let i = 1; i <= 150; i += 1) project.finish(set(i), `to ${i}`);
  assert.deepEqual([project.steps.length, project.at, project.steps[0].title], [100, 99, "to 51"]);
});

test("undo brings back the picture, what was asked, and the area", () => {
  const area = Array.from({ length: 8 }, () => Array(8).fill(1));
  const asked = { prompts: ["a shark"], plan: set(1), reasons: [] };
  project.area = area;
  project.finish(set(1), "a shark", { asked, pinned: [1] });
  project.open(picture(0.125), emptyPlan(), "sample 2");
  assert.deepEqual([project.asked, project.area, project.base(7)], [NOTHING_ASKED, null, 0.125]);
  events.length = 0;
  project.go(1);
  assert.deepEqual([project.asked, project.area, project.base(7)], [asked, area, 0.5]);
  assert.deepEqual(project.pinned, [1]);
  assert.deepEqual(events, ["picture", "rows", "plan", "step"]);
});

test("another area is a step even where the plan is the same", () => {
  project.area = Array.from({ length: 8 }, () => Array(8).fill(1));
  project.finish(emptyPlan(), "paint the area");
  assert.equal(project.steps.length, 2);
});

test("only steps without a picture that nobody asked for yet are drawn", () => {
  const [done, asked, fresh] = [{ thumb: {} }, { thumb: null, asking: true }, { thumb: null }];
  assert.deepEqual(undrawn([done, asked, fresh]), [fresh]);
});
