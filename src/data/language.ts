/** Tells a corpus's source language from its target language, and either from others, by n-grams learned from the corpus itself. */

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
/** Held-out sentences of a side that say how far its sentences differ from each other. */
const LEAST_HELD_OUT = 100;
/** A standard deviation in median absolute deviations, where values are normally distributed. */
const DEVIATIONS = 1.4826;

export interface LanguageProfiles {
  /** Whether `text` reads like the source language rather than the target language; never for a text without letters. */
  isSource(text: string): boolean;
  /**
   * Logarithm of how much likelier `text` is in the source language than in the target language; 0 for a text without
   * letters. Its n-grams overlap and are counted as if they did not, so it is surer of itself than it should be.
   */
  evidence(text: string): number;
  /**
   * By how many standard deviations the n-grams of `text` are rarer on a side than those of its held-out sentences are, for
   * its length: about 0 for what belongs there, high for a third language. Below 0 where they are commoner; 0 for a text
   * without letters and where a side has fewer than 100 held-out sentences with letters.
   */
  strangeness(text: string, side: keyof Pair): number;
  /** Whether a side has enough held-out sentences for that. */
  readonly scaled: Readonly<Record<keyof Pair, boolean>>;
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
    if (!hasLetters(text)) return 0;
    let sum = 0;
    for (const gram of gramsOf(text)) sum += source.logShare(gram, grams) - target.logShare(gram, grams);
    return sum;
  };
  const isSource = (text: string) => evidence(text) > 0;
  const right =
    heldOut.filter((pair) => isSource(pair.source)).length +
    heldOut.filter((pair) => !isSource(pair.target)).length;
  const scaleFor = (profile: Profile, side: keyof Pair) =>
    scaleOf(
      heldOut
        .map((pair) => pair[side])
        .filter(hasLetters)
        .map((text) => profile.commonness(text, grams)),
    );
  const sides = {
    source: { profile: source, scale: scaleFor(source, "source") },
    target: { profile: target, scale: scaleFor(target, "target") },
  };
  const strangeness = (text: string, side: keyof Pair) => {
    const { profile, scale } = sides[side];
    return scale && hasLetters(text) ? -away(profile.commonness(text, grams), scale) : 0;
  };
  const scaled = { source: sides.source.scale !== undefined, target: sides.target.scale !== undefined };
  return { isSource, evidence, strangeness, scaled, heldOut: right / (2 * heldOut.length) };
}

function hasLetters(text: string): boolean {
  return (text.match(/\p{L}/gu)?.length ?? 0) >= LEAST_LETTERS;
}

/** Sum of the logarithms of a text's n-grams' shares, and how many there are. */
interface Commonness {
  sum: number;
  grams: number;
}

/** What is usual on a side: the mean logarithm of an n-gram, and the deviation of a sum of `n` of them over √n. */
interface Scale {
  mean: number;
  deviation: number;
}

/** Medians, so that what is strange in the sample itself does not make strange things usual; undefined for too few. */
function scaleOf(texts: readonly Commonness[]): Scale | undefined {
  if (texts.length < LEAST_HELD_OUT) return undefined;
  const mean = median(texts.map(({ sum, grams }) => sum / grams));
  const deviation = DEVIATIONS * median(texts.map((text) => Math.abs(away(text, { mean, deviation: 1 }))));
  return deviation > 0 ? { mean, deviation } : undefined;
}

/** Standard deviations from what is usual; neighbouring n-grams are taken for independent, and the scale makes up for it. */
function away({ sum, grams }: Commonness, { mean, deviation }: Scale): number {
  return (sum - mean * grams) / (deviation * Math.sqrt(grams));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
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

  commonness(text: string, kinds: number): Commonness {
    const logs = [...gramsOf(text)].map((gram) => this.logShare(gram, kinds));
    return { sum: logs.reduce((sum, log) => sum + log, 0), grams: logs.length };
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
