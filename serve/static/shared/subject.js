// What the bundle calls what its pictures show, as its vocabulary says: "character", or just "picture".

let word = "picture";
export const subject = () => word;

/**
 * Speak of a subject from now on; of the elements given, those with `data-subject` hold a text with "%" in its place.
 * @param {string} name
 * @param {Iterable<HTMLElement>} elements
 */
export function speakOf(name, elements) {
  word = name;
  for (const element of elements) element.textContent = (element.dataset.subject ?? "%").replace("%", name);
}
