/** sacreBLEU's tokenizer `zh`: every Chinese character is a token, the rest goes by the Western rules. */
import { separatePunctuation } from "./western.js";
import { splitWords, trimEnd, trimStart } from "./whitespace.js";

/**
 * Where sacreBLEU 2.6.0 puts spaces. U+2001 to U+2A6D looks odd and is deliberate: its table means the ideographs
 * U+20000 to U+2A6D6, but a four-digit escape makes it this range. So quotation marks, dashes and currency signs are
 * split, and ideographs past U+FFFF are not. Equal figures need the same slip.
 */
const CHINESE =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31ef\u3200-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/g;

export function tokenizeZh(line: string): string[] {
  // Stripped first: a point at the start of the line must not see a space before it.
  return splitWords(separatePunctuation(trimEnd(trimStart(line)).replace(CHINESE, " $& ")));
}
