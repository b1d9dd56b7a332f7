/** What can be said of a translation by counting in it and its source: no table, no language. */

import { wordsOf } from "./words.js";

const NAMES = [
  "source words",
  "candidate words",
  "source characters",
  "candidate characters",
  "log of the ratio of words",
  "log of the ratio of characters",
  "source word length",
  "candidate word length",
  "share of candidate words that stand in the source",
  "share of source words that stand in the candidate",
  "overlap of character trigrams",
  "share of capitalised source words that stand in the candidate",
  "capitalised source words",
  "capitalised share of the candidate",
  "numbers in the source",
  "share of numbers that agree",
  "marks in the source",
  "distance of the counts of marks",
  "commas less, a word",
  "quotation marks and brackets less",
  "ends with the same mark",
  "share of different words in the candidate",
  "share of candidate words just repeated",
  "most frequent word of three letters or more in the candidate",
  "share of source words of one letter",
  "longest source word",
  "share of Latin letters in the candidate",
] as const;

export const SURFACE_FEATURES: readonly string[] = NAMES;

/** One number for each of `SURFACE_FEATURES`, in order; finite for any text, empty ones among them. */
export function surfaceFeatures(source: string, candidate: string): number[] {
  const from = wordsOf(source);
  const to = wordsOf(candidate);
  const fromSet = new Set(from);
  const toSet = new Set(to);
  const fromMarks = marksOf(from);
  const toMarks = marksOf(to);
  const fromNumbers = numbersOf(source);
  const toNumbers = numbersOf(candidate);
  const capitals = capitalised(source);
  const letters = candidate.match(/\p{L}/gu) ?? [];
  const latin = candidate.match(/\p{Script=Latin}/gu) ?? [];
  const values: Record<(typeof NAMES)[number], number> = {
    "source words": from.length,
    "candidate words": to.length,
    "source characters": source.length,
    "candidate characters": candidate.length,
    "log of the ratio of words": Math.log((to.length + 1) / (from.length + 1)),
    "log of the ratio of characters": Math.log((candidate.length + 1) / (source.length + 1)),
    "source word length": meanLength(from),
    "candidate word length": meanLength(to),
    "share of candidate words that stand in the source": share(to, (word) => fromSet.has(word)),
    "share of source words that stand in the candidate": share(from, (word) => toSet.has(word)),
    "overlap of character trigrams": trigramOverlap(source, candidate),
    "share of capitalised source words that stand in the candidate": share(capitals, (word) =>
      toSet.has(word),
    ),
    "capitalised source words": capitals.length,
    "capitalised share of the candidate": capitalised(candidate).length / Math.max(1, to.length),
    "numbers in the source": fromNumbers.length,
    "share of numbers that agree": agreeing(fromNumbers, toNumbers),
    "marks in the source": fromMarks.length,
    "distance of the counts of marks": Math.abs(fromMarks.length - toMarks.length),
    "commas less, a word": (count(from, isComma) - count(to, isComma)) / Math.max(1, from.length),
    "quotation marks and brackets less": count(from, isEnclosing) - count(to, isEnclosing),
    "ends with the same mark": lastMark(from) === lastMark(to) ? 1 : 0,
    "share of different words in the candidate": toSet.size / Math.max(1, to.length),
    "share of candidate words just repeated": share(
      to,
      (word, i) => word === to[i - 1] || (i > 2 && word === to[i - 2] && to[i - 1] === to[i - 3]),
    ),
    "most frequent word of three letters or more in the candidate": mostFrequent(
      to.filter((word) => word.length >= 3),
    ),
    "share of source words of one letter": share(from, (word) => word.length === 1),
    "longest source word": from.reduce((most, word) => Math.max(most, word.length), 0),
    "share of Latin letters in the candidate": latin.length / Math.max(1, letters.length),
  };
  return NAMES.map((name) => values[name]);
}

const isWord = (token: string) => /[\p{L}\p{N}]/u.test(token);
const isComma = (token: string) => /^[,،、]$/u.test(token);
const isEnclosing = (token: string) => /^["“”„«»「」『』()[\]（）《》]$/u.test(token);

function marksOf(tokens: readonly string[]): string[] {
  return tokens.filter((token) => !isWord(token));
}

/** The digits of each number, without separators: 1,000 and 1.000 are alike. */
function numbersOf(text: string): string[] {
  return (text.normalize("NFKC").match(/\p{N}+(?:[.,:]\p{N}+)*/gu) ?? []).map((number) =>
    number.replace(/[.,:]/gu, ""),
  );
}

/** Twice what both have over what they have together; 1 where neither has a number. */
function agreeing(a: readonly string[], b: readonly string[]): number {
  if (a.length + b.length === 0) return 1;
  const left = [...b];
  let both = 0;
  for (const number of a) {
    const at = left.indexOf(number);
    if (at < 0) continue;
    left.splice(at, 1);
    both++;
  }
  return (2 * both) / (a.length + b.length);
}

/** Capitalised words, small, without the first of the text: names, for the most part. */
function capitalised(text: string): string[] {
  const words = text.match(/[\p{L}\p{M}]+/gu) ?? [];
  return words.slice(1).flatMap((word) => (/^\p{Lu}/u.test(word) ? [word.toLowerCase()] : []));
}

function lastMark(tokens: readonly string[]): string {
  const last = tokens[tokens.length - 1] ?? "";
  if (isWord(last)) return "";
  return last === "。" ? "." : last;
}

function trigramOverlap(a: string, b: string): number {
  const grams = (text: string) => {
    const small = text.toLowerCase();
    return new Set(Array.from({ length: Math.max(0, small.length - 2) }, (_, i) => small.slice(i, i + 3)));
  };
  const first = grams(a);
  const second = grams(b);
  let both = 0;
  for (const gram of first) if (second.has(gram)) both++;
  return both / Math.max(1, Math.min(first.size, second.size));
}

function mostFrequent(words: readonly string[]): number {
  const counts = new Map<string, number>();
  let most = 0;
  for (const word of words) {
    const times = (counts.get(word) ?? 0) + 1;
    counts.set(word, times);
    most = Math.max(most, times);
  }
  return most;
}

function meanLength(words: readonly string[]): number {
  return words.reduce((sum, word) => sum + word.length, 0) / Math.max(1, words.length);
}

function count(words: readonly string[], is: (word: string) => boolean): number {
  return words.filter(is).length;
}

function share(words: readonly string[], is: (word: string, index: number) => boolean): number {
  return words.filter(is).length / Math.max(1, words.length);
}
