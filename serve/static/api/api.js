// What the page asks of the world behind it. Two classes answer: `HttpApi` the server, `StaticApi` an exported folder,
// where the decoder runs in the browser. Everything else on the page is the same for both.
//
//   can                              {prompt, upload, publish}: what this one can do; publish: labels are everybody's
//   model()                          {image_size, dictionary, features, samples, …}
//   features()                       every feature as GET /v1/features lists it, by number
//   spritesUrl(kind)                 one picture of all features, 32 x 32 tiles in rows of 64: `natural` or `example`
//   sampleUrl(index)                 address of a picture to start from
//   open(source)                     {source, image, active, …} of {sample}, {picture} or {image: data URL}
//   random()                         a source
//   steer(picture, plan)             the edited picture, something a canvas can draw
//   live({onFrame, onError})         {send(picture, plan)}: like steer while a slider moves, never an old frame last
//   edit(picture, prompt)            {plan, reasons, labels}
//   search(query, limit)             {id, score}, best first
//   card(id)                         one feature in full, as GET /v1/features/{id}
//   cardPictures(card)               addresses: {natural, oneHot, footprint, examples, ablation, strip}, each may be null
//   pictureUrl(id)                   address of an example picture, or null
//   putLabel(id, label | null, revision)   the card as it is then; throws `conflict` for a label that changed since
//   labels()                         {labels, dictionary} by hand
//   putLabels(labels, dictionary)    throws `other_dictionary` for those of another one
//   events `lost` and `back`         when the server cannot be reached, and when it can again

import { HttpApi } from "./http-api.js";

export async function createApi() {
  const folder = document.querySelector('meta[name="swiggle-data"]')?.content;
  if (!folder) return new HttpApi();
  const { StaticApi } = await import("./static-api.js");
  return StaticApi.load(folder);
}
