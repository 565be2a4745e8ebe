// Parts of the page are given the element that they live in, and find nothing outside of it.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const STATIC = fileURLToPath(new URL("../../serve/static", import.meta.url));
const LOOKS_AROUND = /document\.(querySelector|getElement|body)/;

/** Every script below a folder but those of others. */
const scripts = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === "vendor" ? [] : scripts(join(folder, entry.name));
    return entry.name.endsWith(".js") ? [join(folder, entry.name)] : [];
  });

test("only app.js looks for elements in the whole page", () => {
  const found = scripts(STATIC).filter((path) => LOOKS_AROUND.test(readFileSync(path, "utf8")));
  assert.deepEqual(found, [join(STATIC, "app.js")]);
});
