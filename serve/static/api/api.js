// What the page asks of the world behind it is the `Api` of shared/types.js: of a server, or of an exported folder.

import { HttpApi } from "./http-api.js";

/** @import { Api } from "../shared/types.js" */

/** @returns {Promise<Api>} */
export async function createApi() {
  /** @type {HTMLMetaElement | null} */
  const folder = document.querySelector('meta[name="swiggle-data"]');
  if (!folder?.content) return new HttpApi();
  const { StaticApi } = await import("./static-api.js");
  return StaticApi.load(folder.content);
}
