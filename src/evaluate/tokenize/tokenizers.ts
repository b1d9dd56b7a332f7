/** The tokenizers that BLEU can use, by sacreBLEU's names. */

import { tokenizeChar } from "./tokenize-char.js";
import { tokenizeIntl } from "./tokenize-intl.js";
import { tokenizeZh } from "./tokenize-zh.js";
import { tokenize13a } from "./tokenize13a.js";
import { splitWords, trimEnd } from "./whitespace.js";

const TOKENIZERS = {
  "13a": tokenize13a,
  zh: tokenizeZh,
  char: tokenizeChar,
  intl: tokenizeIntl,
  none: splitWords,
} as const;

export type BleuTokenizer = keyof typeof TOKENIZERS;

export const BLEU_TOKENIZERS = Object.keys(TOKENIZERS) as readonly BleuTokenizer[]; // Object.keys forgets the names

/** The tokens of `line`, as sacreBLEU's BLEU counts them. `zh` for Chinese, `char` for Japanese, `13a` otherwise. */
export function tokenizeForBleu(line: string, tokenizer: BleuTokenizer = "13a"): string[] {
  return TOKENIZERS[tokenizer](trimEnd(line));
}
