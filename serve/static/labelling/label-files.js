// Labels written by hand as a file: out, and in again.

import { download } from "../shared/dom.js";

/** @import { Api } from "../shared/types.js" */

/** @param {Api} api */
export async function exportLabels(api) {
  const text = JSON.stringify(await api.labels(), null, 1);
  download(new Blob([text], { type: "application/json" }), "labels.json");
}

/**
 * Answers how many labels the file had. Throws an Error for a file that is none of labels.
 * @param {Api} api
 * @param {File} file
 */
export async function importLabels(api, file) {
  let labels = null;
  let dictionary = undefined;
  try {
    ({ labels, dictionary } = JSON.parse(await file.text()));
  } catch {
    // Not JSON: said below, as for JSON that holds something else.
  }
  if (!labels || typeof labels !== "object") throw new Error(`“${file.name}” is not a file of labels.`);
  await api.putLabels(labels, dictionary);
  return Object.keys(labels).length;
}
