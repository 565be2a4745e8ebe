// The share link: where the picture comes from, the whole plan and what was asked for it, in the fragment, so that it never
// reaches a server.

import { checkedPlan, emptyPlan, samePlan } from "./plan.js";
import { NOTHING_ASKED } from "./project.js";

/** @import { Asked, Mask, Plan, Source } from "../shared/types.js" */

/**
 * What a link holds. Of an edit with another dictionary, `foreign`, nothing was asked and there is no area.
 * @typedef {{source: Source, plan: Plan, asked?: Asked, area?: Mask | null, foreign?: boolean}} Edit
 */

/**
 * @param {CompressionStream | DecompressionStream} transform
 * @param {BlobPart} bytes
 */
async function through(transform, bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {Uint8Array} bytes */
function toBase64Url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** @param {string} text */
function fromBase64Url(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/**
 * The fragment, `#edit=…`. `dictionary` is the id of the one whose features the plan names.
 * @param {{picture: {source: Source}, plan: Plan, asked: Asked, area: Mask | null, dictionary?: string}} project
 */
export async function toFragment({ picture, plan, asked, area, dictionary }) {
  // The last prompt's plan is mostly the whole plan, then it is not said twice. Reasons would make a long link.
  const said = asked.map(({ text, plan: own }, i) =>
    own && i === asked.length - 1 && samePlan(own, plan) ? { text } : { text, plan: own },
  );
  const prompts = said.length ? { asked: said } : {};
  const edit = { version: 1, dictionary, source: picture.source, plan, ...prompts, ...(area ? { area } : {}) };
  const bytes = new TextEncoder().encode(JSON.stringify(edit));
  return `#edit=${toBase64Url(await through(new CompressionStream("deflate-raw"), bytes))}`;
}

/**
 * What a fragment holds, `{source, plan, asked, area}`, or null for no edit; of an edit with another dictionary than
 * `dictionary` the source alone, and `foreign`. Throws an Error for a fragment that is damaged.
 * @param {string} fragment
 * @param {string} [dictionary]
 * @returns {Promise<Edit | null>}
 */
export async function fromFragment(fragment, dictionary) {
  const text = /^#edit=([\w-]+)$/.exec(fragment)?.[1];
  if (!text) {
    if (fragment.startsWith("#edit=")) throw new Error("This link is damaged, so here is a fresh start.");
    return null;
  }
  try {
    const bytes = await through(new DecompressionStream("deflate-raw"), fromBase64Url(text));
    const edit = JSON.parse(new TextDecoder().decode(bytes));
    // A link of before links named their dictionary is taken to be of this one.
    if (edit.dictionary !== undefined && dictionary !== undefined && edit.dictionary !== dictionary)
      return { source: checkedSource(edit.source), plan: emptyPlan(), foreign: true };
    const plan = checkedPlan(edit.plan);
    return { source: checkedSource(edit.source), plan, asked: checkedAsked(edit.asked, plan), area: checkedArea(edit.area) };
  } catch {
    throw new Error("This link is damaged, so here is a fresh start.");
  }
}

/**
 * @param {any} asked
 * @param {Plan} plan
 * @returns {Asked}
 */
function checkedAsked(asked, plan) {
  if (asked === undefined) return NOTHING_ASKED;
  // Links once held the texts alone, and one plan of all prompts together.
  /** @type {{text: unknown, plan?: unknown}[]} */
  const prompts = asked.prompts
    ? asked.prompts.map((/** @type {unknown} */ text, /** @type {number} */ i) =>
        i === asked.prompts.length - 1 ? { text, plan: asked.plan } : { text },
      )
    : asked;
  return prompts.map(({ text, plan: own }, i) => {
    if (typeof text !== "string") throw new Error("no prompt");
    if (own) return { text, plan: checkedPlan(own) };
    return i === prompts.length - 1 ? { text, plan } : { text };
  });
}

/**
 * @param {Mask | undefined} area
 * @returns {Mask | null}
 */
function checkedArea(area) {
  if (area === undefined) return null;
  if (area.length !== 8 || area.some((row) => row.length !== 8 || row.some((cell) => !Number.isFinite(cell))))
    throw new Error("no area");
  return area;
}

/**
 * @param {any} source
 * @returns {Source}
 */
function checkedSource(source) {
  for (const name of ["sample", "picture"]) {
    if (Number.isInteger(source?.[name]) && source[name] >= 0) return { [name]: source[name] };
  }
  if (typeof source?.image === "string" && source.image.startsWith("data:image/")) return { image: source.image };
  throw new Error("no source");
}
