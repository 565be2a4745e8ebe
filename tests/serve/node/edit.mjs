// Edits a picture with OpenAI's client for Node, as its documentation shows: node edit.mjs URL PICTURE MASK
// Prints one line of JSON: what each call gave.

import { createReadStream } from "node:fs";
import OpenAI, { toFile } from "openai";

const [url, picture, mask] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const file = (path) => toFile(createReadStream(path), null, { type: "image/png" });
const asked = { model: "swiggle", prompt: "make it a shark" };

const one = await client.images.edit({ ...asked, image: await file(picture) });
const listed = await client.images.edit({ ...asked, image: [await file(picture)], mask: await file(mask) });
const streamed = await client.images
  .edit({ ...asked, image: await file(picture), stream: true })
  .then(() => null, ({ status, param }) => ({ status, param }));
const models = await client.models.list();

console.log(
  JSON.stringify({
    one: one.data[0].b64_json,
    listed: listed.data[0].b64_json,
    streamed,
    models: models.data.map(({ id }) => id),
  }),
);
