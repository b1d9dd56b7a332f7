/** Names of people, places and products, as far as a corpus gives them away without a dictionary. */

import type { Pair } from "../data/pair.js";
import { integerBelow, type Key } from "../tensor/random.js";

const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const CAPITALISED = /^\p{Lu}[\p{L}\p{M}]+$/u;

/**
 * Words that stand capitalised on both sides of a pair and nowhere in the corpus in small letters: translation leaves names
 * as they are, and German nouns or first words of a sentence seldom pass both. In order of appearance; none in scripts
 * without capitals.
 */
export function corpusNames(pairs: readonly Pair[]): string[] {
  const small = new Set<string>();
  const shared = new Set<string>();
  for (const { source, target } of pairs) {
    const sourceWords = wordsOf(source);
    const targetWords = wordsOf(target);
    for (const word of [...sourceWords, ...targetWords]) if (!CAPITALISED.test(word)) small.add(word);
    const known = new Set(sourceWords);
    for (const word of targetWords) if (CAPITALISED.test(word) && known.has(word)) shared.add(word);
  }
  return [...shared].filter((word) => !small.has(word.toLowerCase()));
}

/** `text` with one of its names, everywhere, replaced by another of `names`; undefined where there is none to replace. */
export function changeName(text: string, names: readonly string[], key: Key): string | undefined {
  const present = new Set(wordsOf(text));
  const here = names.filter((name) => present.has(name));
  const others = names.filter((name) => !present.has(name));
  if (here.length === 0 || others.length === 0) return undefined;
  const old = here[integerBelow(key, 0, here.length)];
  const other = others[integerBelow(key, 1, others.length)]!;
  return text.replace(WORD, (word) => (word === old ? other : word));
}

function wordsOf(text: string): string[] {
  return text.match(WORD) ?? [];
}
