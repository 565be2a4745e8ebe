// What the page asks of the world behind it is the `Api` of shared/types.js: of a server, or of an exported folder.

import { HttpApi } from "./http-api.js";

/** @import { Api } from "../shared/types.js" */

/**
 * @param {string | undefined} folder that was exported, if there is no server
 * @param {() => Promise<boolean>} askForKey
 * @returns {Promise<Api>}
 */
export async function createApi(folder, askForKey) {
  if (!folder) return new HttpApi(askForKey);
  const { StaticApi } = await import("./static-api.js");
  return StaticApi.load(folder);
}
