/** chrF2 and chrF2++ (Popović 2015, 2017), equal to sacreBLEU's: character n-grams of up to six without white space. */
import { formatFixed } from "./format.js";
import { ReferenceNgrams, Vocabulary } from "./ngram-trie.js";
import {
  checkCorpus,
  type References,
  referenceCount,
  referenceList,
  SACREBLEU_VERSION,
  sumStatistics,
} from "./references.js";
import { isWhitespace, splitWords } from "./tokenize/whitespace.js";

const CHARACTER_ORDER = 6;
/** Recall counts β² = 4 times as much as precision. */
const BETA = 2;
// biome-ignore format: one line shows the whole set
const PUNCTUATION = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

export interface ChrfOptions {
  /** 0, the default, is chrF2; 2 adds words and word pairs: chrF2++. */
  wordOrder?: 0 | 2;
}

/**
 * What a sentence adds to chrF: for each order (characters 1 to 6, then words) the n-grams of the hypothesis, of the
 * reference, and those matched. Whole numbers in sacreBLEU's order; a corpus is their sum.
 */
export type ChrfStatistics = number[];

/** A reference made ready once for many hypotheses. */
export interface ChrfScorer {
  statistics(hypothesis: string): ChrfStatistics;
  /** Sentence chrF, 0 to 100. */
  score(hypothesis: string): number;
}

/**
 * Makes a reference, or several of one sentence, ready for scoring many hypotheses. With several, the one that gives
 * the hypothesis the highest score counts.
 *
 *     const scorer = chrfScorer("the cat sat on a mat");
 *     candidates.map(scorer.score);
 */
export function chrfScorer(references: References, { wordOrder = 0 }: ChrfOptions = {}): ChrfScorer {
  const scorers = referenceList(references).map((reference) => singleReference(reference, wordOrder));
  const statistics = (hypothesis: string): ChrfStatistics => {
    let best = scorers[0](hypothesis);
    let bestScore = scorers.length === 1 ? 0 : chrfFromStatistics(best);
    for (let i = 1; i < scorers.length; i++) {
      const other = scorers[i](hypothesis);
      const score = chrfFromStatistics(other);
      if (score > bestScore) {
        best = other;
        bestScore = score;
      }
    }
    return best;
  };
  return { statistics, score: (hypothesis) => chrfFromStatistics(statistics(hypothesis)) };
}

/**
 * The statistics of each sentence.
 * @throws UserError when there is not one entry of `references` for each hypothesis.
 */
export function chrfStatistics(
  hypotheses: readonly string[],
  references: readonly References[],
  options: ChrfOptions = {},
): ChrfStatistics[] {
  checkCorpus(hypotheses, references);
  return hypotheses.map((hypothesis, i) => chrfScorer(references[i], options).statistics(hypothesis));
}

/**
 * chrF, 0 to 100, from statistics, of a sentence or summed over a corpus: precision P and recall R averaged over the
 * orders that both sides have, then (1 + β²)·P·R / (β²·P + R).
 */
export function chrfFromStatistics(statistics: ArrayLike<number>): number {
  let precision = 0;
  let recall = 0;
  let orders = 0;
  for (let i = 0; i < statistics.length; i += 3) {
    const hypothesis = statistics[i];
    const reference = statistics[i + 1];
    if (hypothesis === 0 || reference === 0) continue;
    precision += statistics[i + 2] / hypothesis;
    recall += statistics[i + 2] / reference;
    orders++;
  }
  if (precision + recall === 0) return 0;
  precision /= orders;
  recall /= orders;
  return (100 * (1 + BETA ** 2) * precision * recall) / (BETA ** 2 * precision + recall);
}

/**
 * Corpus chrF, 0 to 100, with its signature line. `references` has one entry for each hypothesis: a string, or several.
 * @throws UserError when there is not one entry of `references` for each hypothesis.
 */
export function corpusChrf(
  hypotheses: readonly string[],
  references: readonly References[],
  options: ChrfOptions = {},
): { score: number; signature: string } {
  const sum = sumStatistics(chrfStatistics(hypotheses, references, options));
  return {
    score: chrfFromStatistics(sum),
    signature: chrfSignature({ ...options, references: referenceCount(references) }),
  };
}

/** Sentence chrF, 0 to 100. For many hypotheses of one reference `chrfScorer` is faster. */
export function sentenceChrf(hypothesis: string, references: References, options: ChrfOptions = {}): number {
  return chrfScorer(references, options).score(hypothesis);
}

/** sacreBLEU's signature line; `version` is the sacreBLEU that this code is tested to equal. */
export function chrfSignature({
  wordOrder = 0,
  references = "1",
}: ChrfOptions & { references?: string } = {}): string {
  return `nrefs:${references}|case:mixed|eff:yes|nc:${CHARACTER_ORDER}|nw:${wordOrder}|space:no|version:${SACREBLEU_VERSION}`;
}

/** The line that `sacrebleu -m chrf` prints for a score. */
export function formatChrf(
  score: number,
  signature: string,
  { wordOrder = 0 }: ChrfOptions = {},
  digits = 2,
): string {
  return `chrF${BETA}${"+".repeat(wordOrder)}|${signature} = ${formatFixed(score, digits)}`;
}

function singleReference(reference: string, wordOrder: 0 | 2): (hypothesis: string) => ChrfStatistics {
  const buffer = new CharacterBuffer();
  const referenceLength = buffer.fill(reference);
  const characters = new ReferenceNgrams(CHARACTER_ORDER, referenceLength);
  characters.add(buffer.codes, referenceLength);
  const characterMatches = new Array<number>(CHARACTER_ORDER).fill(0);

  const vocabulary = new Vocabulary();
  const referenceWords = wordOrder === 0 ? [] : vocabulary.add(chrfWords(reference));
  const words = new ReferenceNgrams(wordOrder, referenceWords.length);
  words.add(referenceWords);
  const wordMatches = new Array<number>(wordOrder).fill(0);

  return (hypothesis) => {
    const statistics: ChrfStatistics = [];
    const length = buffer.fill(hypothesis);
    characterMatches.fill(0);
    characters.match(buffer.codes, length, characterMatches);
    push(statistics, length, referenceLength, characterMatches);
    if (wordOrder > 0) {
      const hypothesisWords = vocabulary.find(chrfWords(hypothesis));
      wordMatches.fill(0);
      words.match(hypothesisWords, hypothesisWords.length, wordMatches);
      push(statistics, hypothesisWords.length, referenceWords.length, wordMatches);
    }
    return statistics;
  };
}

/** Appends the three numbers of each order, given both sides' lengths in symbols. */
function push(
  statistics: ChrfStatistics,
  hypothesisLength: number,
  referenceLength: number,
  matches: readonly number[],
): void {
  for (let n = 0; n < matches.length; n++) {
    const reference = Math.max(0, referenceLength - n);
    // As in sacreBLEU, a corpus does not count hypothesis n-grams of an order that this sentence's reference lacks.
    statistics.push(reference === 0 ? 0 : Math.max(0, hypothesisLength - n), reference, matches[n]);
  }
}

/** Words with one ASCII punctuation mark detached: the last character if it is one, otherwise the first. */
function chrfWords(text: string): string[] {
  const words: string[] = [];
  for (const word of splitWords(text)) {
    const last = word.length - 1;
    if (last === 0) words.push(word);
    else if (PUNCTUATION.has(word[last])) words.push(word.slice(0, last), word[last]);
    else if (PUNCTUATION.has(word[0])) words.push(word[0], word.slice(1));
    else words.push(word);
  }
  return words;
}

/** Code points of a text without white space, in memory that is used again. */
class CharacterBuffer {
  codes = new Int32Array(256);

  /** Fills `codes` and returns how many there are. */
  fill(text: string): number {
    if (this.codes.length < text.length) this.codes = new Int32Array(2 * text.length);
    let length = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i) ?? 0;
      if (code > 0xffff) i++; // it took two UTF-16 units
      if (!isWhitespace(code)) this.codes[length++] = code;
    }
    return length;
  }
}
