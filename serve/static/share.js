// The share link: where the picture comes from and the whole plan, in the fragment, so that it never reaches a server.

import { checkedPlan } from "./plan.js";

async function through(transform, bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function toBase64Url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

/** `source` is `{sample}`, `{picture}` or `{image}`; what the fragment says is `#edit=…`. */
export async function toFragment(source, plan) {
  const bytes = new TextEncoder().encode(JSON.stringify({ version: 1, source, plan }));
  return `#edit=${toBase64Url(await through(new CompressionStream("deflate-raw"), bytes))}`;
}

/** What a fragment holds, or null where it holds no edit. Throws an Error for one that is damaged. */
export async function fromFragment(fragment) {
  const text = /^#edit=([\w-]+)$/.exec(fragment)?.[1];
  if (!text) {
    if (fragment.startsWith("#edit=")) throw new Error("This link is damaged, so here is a fresh start.");
    return null;
  }
  try {
    const bytes = await through(new DecompressionStream("deflate-raw"), fromBase64Url(text));
    const { source, plan } = JSON.parse(new TextDecoder().decode(bytes));
    return { source: checkedSource(source), plan: checkedPlan(plan) };
  } catch {
    throw new Error("This link is damaged, so here is a fresh start.");
  }
}

function checkedSource(source) {
  for (const name of ["sample", "picture"]) {
    if (Number.isInteger(source?.[name]) && source[name] >= 0) return { [name]: source[name] };
  }
  if (typeof source?.image === "string" && source.image.startsWith("data:image/")) return { image: source.image };
  throw new Error("no source");
}
