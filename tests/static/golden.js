// What Python makes of plans: `python -m scripts.golden_vectors` writes it.

import { readFileSync } from "node:fs";

export const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));

/** The bytes of base64 text in a buffer of their own, from which typed arrays of any kind can be made. */
export const bytes = (text) => Uint8Array.from(Buffer.from(text, "base64")).buffer;
