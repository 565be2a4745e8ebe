// Words of any script, as swiggle/captions/tokens.py has them: what a query is compared with labels by.

const ALIKE = new Map(
  Object.entries({
    "’": "'", "‘": "'", "ʼ": "'", "，": ",", "、": ",", "،": ",", "；": ";", "؛": ";", "：": ":",
    "。": ".", "｡": ".", "।": ".", "॥": ".", "！": "!", "？": "?", "؟": "?",
    "\u00ad": "", "\u2060": "", "\ufeff": "", "\ufe0e": "", "\ufe0f": "",
  }),
);
const ONE_EMOJI = "(?:(?![©®™])\\p{Extended_Pictographic})\\p{Emoji_Modifier}?";
const APART = "\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";
const LETTERS = `(?:(?![\\p{Script=Han}\\p{Script=Hiragana}${APART}])[\\p{L}\\p{N}][\\p{M}\\u200c\\u200d]*)+`;
const WORD = new RegExp(
  [
    `${ONE_EMOJI}(?:\\u200d${ONE_EMOJI})*[\\u{e0020}-\\u{e007f}]*`,
    "\\p{Regional_Indicator}{2}",
    "[0-9#*]\\u20e3",
    "[\\p{Script=Han}\\p{Script=Hiragana}]\\p{M}*",
    `(?=[${APART}])[\\p{L}\\p{N}]\\p{M}*`,
    `${LETTERS}(?:[+']${LETTERS})*`,
  ].join("|"),
  "gu",
);

/**
 * The words of a text, written alike.
 * @param {string} text
 * @returns {string[]}
 */
export function wordsOf(text) {
  const plain = [...text.normalize("NFC")].map((letter) => ALIKE.get(letter) ?? letter).join("");
  // The nearest there is to case folding.
  return plain.toUpperCase().toLowerCase().normalize("NFC").match(WORD) ?? [];
}
