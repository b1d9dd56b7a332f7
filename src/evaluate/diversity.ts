/** How varied a policy's samples are, and the plain signs that it has learnt to please the reward by repeating or copying. */
import { type BleuOptions, bleuFromStatistics, closestLength } from "./bleu.js";
import { NgramTrie, Vocabulary } from "./ngram-trie.js";
import { repeatedWords } from "./repetition.js";
import { tokenizeForBleu } from "./tokenize/tokenizers.js";

/** Words are BLEU's tokens: say `zh` or `char` for languages without spaces. */
export type DiversityOptions = BleuOptions;

const BLEU_ORDER = 4;

/**
 * Distinct-n of one pool: different n-grams over all n-grams (Li et al. 2016), in (0, 1]; NaN when no sample has n
 * words. It falls with the size of the pool, so only pools of one size can be compared.
 */
export function distinctN(
  samples: readonly string[],
  n: number,
  { tokenize }: DiversityOptions = {},
): number {
  const vocabulary = new Vocabulary();
  const trie = new NgramTrie(16 * samples.length);
  const seen = new Set<number>();
  let total = 0;
  for (const sample of samples) {
    const words = vocabulary.add(tokenizeForBleu(sample, tokenize));
    for (let start = 0; start + n <= words.length; start++) {
      let node = 0;
      for (let i = start; i < start + n; i++) node = trie.insert(node, words[i]);
      seen.add(node);
      total++;
    }
  }
  return seen.size / total;
}

/** Mean distinct-n of the samples of each source, over the sources where it is defined. */
export function distinctNPerSource(
  groups: readonly (readonly string[])[],
  n: number,
  options: DiversityOptions = {},
): number {
  return meanOfDefined(groups.map((samples) => distinctN(samples, n, options)));
}

/**
 * Self-BLEU (Zhu et al. 2018) of each source's samples: sentence BLEU of a sample with the others of its source as
 * references, 0 (nothing shared) to 100 (all alike), averaged over samples, then over sources with at least two.
 */
export function selfBleu(
  groups: readonly (readonly string[])[],
  { tokenize }: DiversityOptions = {},
): number {
  return meanOfDefined(
    groups.map((samples) => selfBleuOfSource(samples.map((s) => tokenizeForBleu(s, tokenize)))),
  );
}

/** Mean over sources of different samples over samples, in (0, 1]. */
export function uniqueShare(groups: readonly (readonly string[])[]): number {
  return meanOfDefined(groups.map((samples) => new Set(samples).size / samples.length));
}

/**
 * Entropy a token, in nats: the mean of −log π over all sampled tokens. An estimate without bias when the samples
 * come from the distribution that the log-probabilities are of.
 * @param logProbabilities those of each sample's tokens
 */
export function tokenEntropy(logProbabilities: readonly ArrayLike<number>[]): number {
  let sum = 0;
  let tokens = 0;
  for (const sample of logProbabilities) {
    for (let t = 0; t < sample.length; t++) sum -= sample[t];
    tokens += sample.length;
  }
  return sum / tokens;
}

/** Mean candidate length over mean reference length, in characters; one reference for each candidate. */
export function lengthRatio(candidates: readonly string[], references: readonly string[]): number {
  if (candidates.length !== references.length)
    throw new RangeError(`${candidates.length} candidates but ${references.length} references`);
  return characters(candidates) / characters(references);
}

/**
 * Share of words, over all samples, that repeat what stands just before them: the same word, or a pair of words equal
 * to the pair before. `the cat the cat sat sat` has 3 of 6.
 */
export function repetitionRate(samples: readonly string[], { tokenize }: DiversityOptions = {}): number {
  let repeated = 0;
  let total = 0;
  for (const sample of samples) {
    const words = tokenizeForBleu(sample, tokenize);
    total += words.length;
    repeated += repeatedWords(words, 2);
  }
  return total === 0 ? 0 : repeated / total;
}

/**
 * Share of candidates that copy their source: at least half of their words occur in it (Ott et al. 2018). Only tokens
 * with a letter count as words, since numbers and punctuation are rightly kept.
 */
export function copyRate(
  candidates: readonly string[],
  sources: readonly string[],
  { tokenize }: DiversityOptions = {},
): number {
  if (candidates.length !== sources.length)
    throw new RangeError(`${candidates.length} candidates but ${sources.length} sources`);
  const lexical = (text: string) => tokenizeForBleu(text, tokenize).filter((token) => /\p{L}/u.test(token));
  const copies = candidates.filter((candidate, i) => {
    const words = lexical(candidate);
    const sourceWords = new Set(lexical(sources[i]));
    return words.length > 0 && 2 * words.filter((word) => sourceWords.has(word)).length >= words.length;
  });
  return candidates.length === 0 ? 0 : copies.length / candidates.length;
}

/**
 * BLEU of each sample against all others, in time linear in the words: an n-gram's highest count among the others is
 * the highest of all, or the second highest for the one sample that has it.
 */
function selfBleuOfSource(samples: readonly (readonly string[])[]): number {
  if (samples.length < 2) return Number.NaN;
  const vocabulary = new Vocabulary();
  const trie = new NgramTrie(BLEU_ORDER * 16 * samples.length);
  const highest: number[] = [0];
  const holder: number[] = [-1];
  const second: number[] = [0];
  const counts = samples.map((sample, s) => {
    const words = vocabulary.add(sample);
    const countOf = new Map<number, { n: number; count: number }>();
    for (let start = 0; start < words.length; start++) {
      let node = 0;
      for (let n = 1; n <= BLEU_ORDER && start + n <= words.length; n++) {
        node = trie.insert(node, words[start + n - 1]);
        const entry = countOf.get(node);
        if (entry) entry.count++;
        else countOf.set(node, { n, count: 1 });
      }
    }
    for (const [node, { count }] of countOf) {
      if (count > (highest[node] ?? 0)) {
        second[node] = highest[node] ?? 0;
        highest[node] = count;
        holder[node] = s;
      } else if (count > (second[node] ?? 0)) second[node] = count;
    }
    return countOf;
  });
  const lengths = samples.map((sample) => sample.length);
  const scores = samples.map((sample, s) => {
    const matches = new Array<number>(BLEU_ORDER).fill(0);
    for (const [node, { n, count }] of counts[s])
      matches[n - 1] += Math.min(count, holder[node] === s ? second[node] : highest[node]);
    const totals = matches.map((_, n) => Math.max(0, sample.length - n));
    const statistics = [
      sample.length,
      closestLength(lengths.toSpliced(s, 1), sample.length),
      ...matches,
      ...totals,
    ];
    return bleuFromStatistics(statistics, { effectiveOrder: true }).score;
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function characters(texts: readonly string[]): number {
  let count = 0;
  for (const text of texts) for (const _ of text) count++;
  return count;
}

function meanOfDefined(values: readonly number[]): number {
  const defined = values.filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
}
