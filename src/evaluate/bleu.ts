/** BLEU (Papineni et al. 2002), equal to sacreBLEU's: smoothing `exp`, mixed case, n-grams of up to four words. */
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
import { type BleuTokenizer, tokenizeForBleu } from "./tokenize/tokenizers.js";

const ORDER = 4;

export interface BleuOptions {
  /** `13a` by default; `zh` for Chinese, `char` for Japanese and other text without spaces. */
  tokenize?: BleuTokenizer;
}

interface EffectiveOrder {
  /** Leaves out the orders for which the hypothesis is too short. For sentences; off by default, as in sacreBLEU. */
  effectiveOrder?: boolean;
}

/**
 * What a sentence adds to BLEU: hypothesis length, reference length, matches for n = 1 to 4, n-grams of the
 * hypothesis for n = 1 to 4. Ten whole numbers in sacreBLEU's order; a corpus is their sum.
 */
export type BleuStatistics = number[];

export interface BleuScore {
  /** 0 to 100. */
  score: number;
  /** In percent, after smoothing, for n = 1 to 4. */
  precisions: number[];
  /** Matches for n = 1 to 4. */
  matches: number[];
  /** N-grams of the hypothesis for n = 1 to 4. */
  totals: number[];
  /** 0 to 1. */
  brevityPenalty: number;
  hypothesisLength: number;
  referenceLength: number;
}

/** A reference made ready once for many hypotheses. */
export interface BleuScorer {
  statistics(hypothesis: string): BleuStatistics;
  /** Sentence BLEU with effective order, 0 to 100. */
  score(hypothesis: string): number;
}

/**
 * Makes a reference, or several of one sentence, ready for scoring many hypotheses.
 *
 *     const scorer = bleuScorer("the cat sat on a mat");
 *     candidates.map(scorer.score);
 */
export function bleuScorer(references: References, { tokenize = "13a" }: BleuOptions = {}): BleuScorer {
  const vocabulary = new Vocabulary();
  const ngrams = new ReferenceNgrams(ORDER);
  const lengths = referenceList(references).map((reference) => {
    const words = vocabulary.add(tokenizeForBleu(reference, tokenize));
    ngrams.add(words);
    return words.length;
  });
  const statistics = (hypothesis: string): BleuStatistics => {
    const words = vocabulary.find(tokenizeForBleu(hypothesis, tokenize));
    const matches = new Array<number>(ORDER).fill(0);
    ngrams.match(words, words.length, matches);
    const totals = matches.map((_, n) => Math.max(0, words.length - n));
    return [words.length, closestLength(lengths, words.length), ...matches, ...totals];
  };
  return {
    statistics,
    score: (hypothesis) => bleuFromStatistics(statistics(hypothesis), { effectiveOrder: true }).score,
  };
}

/**
 * The statistics of each sentence.
 * @throws UserError when there is not one entry of `references` for each hypothesis.
 */
export function bleuStatistics(
  hypotheses: readonly string[],
  references: readonly References[],
  options: BleuOptions = {},
): BleuStatistics[] {
  checkCorpus(hypotheses, references);
  return hypotheses.map((hypothesis, i) => bleuScorer(references[i], options).statistics(hypothesis));
}

/**
 * BLEU from statistics, of a sentence or summed over a corpus. An order without a match counts half a match, the next
 * one a quarter and so on (method 3 of Chen and Cherry 2014, "exp"); with no match at all, or a hypothesis too short
 * for an order, the score is 0.
 */
export function bleuFromStatistics(
  statistics: ArrayLike<number>,
  { effectiveOrder = false }: EffectiveOrder = {},
): BleuScore {
  const [hypothesisLength, referenceLength, ...counts] = Array.from(statistics);
  const matches = counts.slice(0, ORDER);
  const totals = counts.slice(ORDER);
  const precisions = new Array<number>(ORDER).fill(0);
  const brevityPenalty =
    hypothesisLength >= referenceLength
      ? 1
      : hypothesisLength > 0
        ? Math.exp(1 - referenceLength / hypothesisLength)
        : 0;
  const result = { precisions, matches, totals, brevityPenalty, hypothesisLength, referenceLength };
  if (matches.every((count) => count === 0)) return { score: 0, ...result };

  let halving = 1;
  let present = 0; // orders that the hypothesis is long enough for
  while (present < ORDER && totals[present] > 0) {
    if (matches[present] === 0) {
      halving *= 2;
      precisions[present] = 100 / (halving * totals[present]);
    } else precisions[present] = (100 * matches[present]) / totals[present];
    present++;
  }
  const order = effectiveOrder ? present : ORDER;
  // Math.log(0) is −∞, which makes the score 0 where an order is missing.
  const meanLog = precisions.slice(0, order).reduce((sum, p) => sum + Math.log(p), 0) / order;
  return { score: brevityPenalty * Math.exp(meanLog), ...result };
}

/**
 * Corpus BLEU with its signature line. `references` has one entry for each hypothesis: a string, or several.
 *
 *     corpusBleu(["the cat sat on the mat"], ["the cat sat on a mat"]).score
 * @throws UserError when there is not one entry of `references` for each hypothesis.
 */
export function corpusBleu(
  hypotheses: readonly string[],
  references: readonly References[],
  options: BleuOptions = {},
): BleuScore & { signature: string } {
  const score = bleuFromStatistics(sumStatistics(bleuStatistics(hypotheses, references, options)));
  return { ...score, signature: bleuSignature({ ...options, references: referenceCount(references) }) };
}

/** Sentence BLEU, 0 to 100, with effective order as in sacreBLEU's `sentence_bleu`. */
export function sentenceBleu(
  hypothesis: string,
  references: References,
  options: BleuOptions = {},
): BleuScore {
  return bleuFromStatistics(bleuScorer(references, options).statistics(hypothesis), { effectiveOrder: true });
}

/** sacreBLEU's signature line; `version` is the sacreBLEU that this code is tested to equal. */
export function bleuSignature({
  tokenize = "13a",
  references = "1",
  effectiveOrder = false,
}: BleuOptions & EffectiveOrder & { references?: string } = {}): string {
  return `nrefs:${references}|case:mixed|eff:${effectiveOrder ? "yes" : "no"}|tok:${tokenize}|smooth:exp|version:${SACREBLEU_VERSION}`;
}

/** The line that `sacrebleu` prints for a score. */
export function formatBleu(score: BleuScore, signature: string, digits = 2): string {
  const { hypothesisLength, referenceLength } = score;
  const ratio = referenceLength > 0 ? hypothesisLength / referenceLength : 0;
  const precisions = score.precisions.map((p) => formatFixed(p, 1)).join("/");
  return (
    `BLEU|${signature} = ${formatFixed(score.score, digits)} ${precisions} ` +
    `(BP = ${formatFixed(score.brevityPenalty, 3)} ratio = ${formatFixed(ratio, 3)} ` +
    `hyp_len = ${hypothesisLength} ref_len = ${referenceLength})`
  );
}

/** The length nearest to `target`; of two equally near, the shorter. */
export function closestLength(lengths: readonly number[], target: number): number {
  return lengths.reduce((best, length) => {
    const nearer = Math.abs(length - target) - Math.abs(best - target);
    return nearer < 0 || (nearer === 0 && length < best) ? length : best;
  });
}
