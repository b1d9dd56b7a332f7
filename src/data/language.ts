/** Tells a corpus's source language from its target language by character n-grams, learned from the corpus itself. */

import type { Pair } from "./pair.js";

/** Letters of the longest n-gram. */
const ORDER = 3;
/** Pairs that profiles are learned from at most: enough for sentences, and learned in a moment. */
const MOST_PAIRS = 5000;
/** Every so many-th pair is held out. */
const HELD_OUT = 5;
/** Added to each count, so that an n-gram that was not seen is unlikely and not impossible. */
const SMOOTHING = 0.5;
/** Letters below which a text is in no language. */
const LEAST_LETTERS = 3;

export interface LanguageProfiles {
  /** Whether `text` reads like the source language rather than the target language; never for a text without letters. */
  isSource(text: string): boolean;
  /**
   * Logarithm of how much likelier `text` is in the source language than in the target language; 0 for a text without
   * letters. Its n-grams overlap and are counted as if they did not, so it is surer of itself than it should be.
   */
  evidence(text: string): number;
  /** Share of held-out sentences, both sides, that were told right; NaN where none was held out. */
  readonly heldOut: number;
}

/**
 * A naive Bayes classifier over n-grams of 1 to 3 letters, words padded by a space (the n-grams of Cavnar and Trenkle
 * 1994), with every fifth pair held out. It knows these two languages alone: a third one counts as the nearer of them.
 */
export function learnLanguages(pairs: readonly Pair[]): LanguageProfiles {
  const stride = Math.max(1, Math.floor(pairs.length / MOST_PAIRS));
  const used = pairs.filter((_, i) => i % stride === 0).slice(0, MOST_PAIRS);
  const learned = used.filter((_, i) => i % HELD_OUT !== HELD_OUT - 1);
  const heldOut = used.filter((_, i) => i % HELD_OUT === HELD_OUT - 1);
  const source = new Profile(learned.map((pair) => pair.source));
  const target = new Profile(learned.map((pair) => pair.target));
  const grams = new Set([...source.counts.keys(), ...target.counts.keys()]).size;
  const evidence = (text: string) => {
    if ((text.match(/\p{L}/gu)?.length ?? 0) < LEAST_LETTERS) return 0;
    let sum = 0;
    for (const gram of gramsOf(text)) sum += source.logShare(gram, grams) - target.logShare(gram, grams);
    return sum;
  };
  const isSource = (text: string) => evidence(text) > 0;
  const right =
    heldOut.filter((pair) => isSource(pair.source)).length +
    heldOut.filter((pair) => !isSource(pair.target)).length;
  return { isSource, evidence, heldOut: right / (2 * heldOut.length) };
}

class Profile {
  readonly counts = new Map<string, number>();
  #total = 0;

  constructor(texts: readonly string[]) {
    for (const text of texts)
      for (const gram of gramsOf(text)) {
        this.counts.set(gram, (this.counts.get(gram) ?? 0) + 1);
        this.#total++;
      }
  }

  /** Logarithm of the n-gram's smoothed share, where there are `kinds` different ones. */
  logShare(gram: string, kinds: number): number {
    return Math.log(((this.counts.get(gram) ?? 0) + SMOOTHING) / (this.#total + SMOOTHING * (kinds + 1)));
  }
}

function* gramsOf(text: string): Generator<string> {
  for (const word of text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? []) {
    const letters = [" ", ...word, " "];
    for (let n = 1; n <= ORDER; n++)
      for (let start = 0; start + n <= letters.length; start++) {
        const gram = letters.slice(start, start + n).join("");
        if (gram !== " ") yield gram;
      }
  }
}
