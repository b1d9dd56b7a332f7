/** Beam search over the shared decoder, with Transformers' scores: log-probability over length to a power. */

import { Interrupted } from "../errors.js";
import type { Decoder, Encoding } from "./decoder.js";
import { type EncodedSource, isUnwanted } from "./sampler.js";

export interface BeamOptions {
  readonly beams: number;
  /** Score = Σ log p / length^penalty; 1 is the mean. */
  readonly lengthPenalty: number;
  readonly maxTokens: number;
  readonly eosId: number;
  readonly vocabulary: number;
  /** At the last place take end-of-sentence, with probability 1. */
  readonly forceEnd?: boolean;
  /** Count log-probabilities as if these tokens did not exist. */
  readonly without?: readonly number[];
}

export interface Hypothesis {
  readonly tokens: number[];
  readonly logProbs: number[];
  /** Σ log p / length^penalty; the length counts end-of-sentence. */
  readonly score: number;
  /** False when it was cut at `maxTokens`, or forced to end there. */
  readonly finished: boolean;
}

/** The best hypothesis of a source. */
export interface BeamResult extends Hypothesis {
  readonly sourceId: number;
  /** The next best, best first: with this one, as many as there are beams. */
  readonly others: readonly Hypothesis[];
}

/** A hypothesis that goes on. */
interface Live {
  readonly tokens: number[];
  readonly logProbs: number[];
  readonly sum: number;
}

interface Search {
  readonly source: EncodedSource;
  live: Live[];
  /** Best first, at most as many as there are beams. */
  readonly ended: Hypothesis[];
}

/** The best hypothesis of each source, sources as they end. One group of lanes serves one source. */
export async function* beamSearch(
  decoder: Decoder,
  sources: readonly EncodedSource[],
  options: BeamOptions,
  cancelled: () => boolean,
): AsyncGenerator<BeamResult[]> {
  if (decoder.lanes < options.beams) throw new Error("beam search needs a lane for each beam");
  const queue = [...sources].sort((a, b) => a.tokens.length - b.tokens.length);
  let next = 0;
  /** Of the sources from `next` on. */
  const encoded: Encoding[] = [];
  const tokensOf = ({ tokens }: EncodedSource) => tokens;
  const groups: (Search | undefined)[] = Array.from({ length: decoder.groups }, () => undefined);
  const free = (group: number): void => {
    for (let lane = 0; lane < decoder.lanes; lane++) decoder.stop(group * decoder.lanes + lane);
    groups[group] = undefined;
  };
  for (;;) {
    if (cancelled()) throw new Interrupted();
    groups.forEach((search, group) => {
      if (search && isUnwanted(search.source)) free(group);
    });
    for (let group = 0; group < groups.length && next < queue.length; group++) {
      if (groups[group]) continue;
      if (encoded.length === 0) encoded.push(...(await decoder.encode(queue.slice(next).map(tokensOf))));
      groups[group] = { source: queue[next++]!, live: [{ tokens: [], logProbs: [], sum: 0 }], ended: [] };
      decoder.start(group * decoder.lanes, 0, encoded.shift()!);
    }
    if (groups.every((search) => !search)) return;
    await decoder.step();
    const done: BeamResult[] = [];
    groups.forEach((search, group) => {
      if (!search) return;
      const result = extend(decoder, group, search, options);
      if (!result) return;
      free(group);
      done.push(result);
    });
    if (done.length > 0) yield done;
  }
}

/**
 * Takes the 2·beams best continuations; returns the result when nothing better can come. The rules, ties included, are
 * those of `generate` in Transformers 5.23 with `early_stopping=False`.
 */
function extend(
  decoder: Decoder,
  group: number,
  search: Search,
  options: BeamOptions,
): BeamResult | undefined {
  const { beams, eosId, maxTokens } = options;
  const length = search.live[0]!.tokens.length + 1;
  const forced = options.forceEnd === true && length >= maxTokens;
  const best = forced
    ? search.live.map(({ sum }, parent) => ({ parent, token: eosId, logProb: 0, sum }))
    : bestContinuations(decoder, group, search.live, options);
  const score = (sum: number) => sum / length ** options.lengthPenalty;
  const going: { parent: number; live: Live; token: number }[] = [];
  best.forEach(({ parent, token, logProb, sum }, rank) => {
    const from = search.live[parent]!;
    const tokens = [...from.tokens, token];
    const logProbs = [...from.logProbs, logProb];
    const finished = token === eosId && !forced;
    if (finished || length >= maxTokens) {
      // An end that is not among the best `beams` continuations does not count.
      if (rank < beams) keepEnded(search.ended, { tokens, logProbs, score: score(sum), finished }, beams);
    } else if (going.length < beams) going.push({ parent, live: { tokens, logProbs, sum }, token });
  });
  const worst = search.ended.length < beams ? Number.NEGATIVE_INFINITY : search.ended.at(-1)!.score;
  // A heuristic where the penalty is above 0: a live hypothesis may end with a better score than it has now.
  if (going.length === 0 || score(going[0]!.live.sum) <= worst) {
    const [first, ...others] = search.ended;
    return { sourceId: search.source.sourceId, ...first!, others };
  }
  const parents = Array.from({ length: decoder.lanes }, (_, lane) => going[lane]?.parent ?? -1);
  decoder.reorder(
    group,
    parents,
    parents.map((_, lane) => going[lane]?.token ?? 0),
  );
  search.live = going.map(({ live }) => live);
  return undefined;
}

function keepEnded(ended: Hypothesis[], hypothesis: Hypothesis, beams: number): void {
  ended.push(hypothesis);
  // Stable: of equal scores the earlier stays first.
  ended.sort((a, b) => b.score - a.score);
  ended.length = Math.min(ended.length, beams);
}

interface Continuation {
  readonly parent: number;
  readonly token: number;
  readonly logProb: number;
  readonly sum: number;
}

/** The 2·beams best next tokens over all live hypotheses, best first; forbidden ones are never among them. */
function bestContinuations(
  decoder: Decoder,
  group: number,
  live: readonly Live[],
  { beams, vocabulary, without }: BeamOptions,
): Continuation[] {
  const best: Continuation[] = [];
  const count = 2 * beams;
  live.forEach(({ sum }, lane) => {
    const start = (group * decoder.lanes + lane) * vocabulary;
    const lost = (without ?? []).reduce(
      (mass, token) => mass + Math.exp(decoder.logProbs[start + token]!),
      0,
    );
    const left = Math.log1p(-lost);
    for (let token = 0; token < vocabulary; token++) {
      const logProb = decoder.logProbs[start + token]! - left;
      const total = sum + logProb;
      if (best.length === count && total <= best[count - 1]!.sum) continue;
      // Forbidden tokens have probability 0 in the sampling distribution.
      if (decoder.probabilities[start + token] === 0) continue;
      let at = best.length;
      while (at > 0 && best[at - 1]!.sum < total) at--;
      best.splice(at, 0, { parent: lane, token, logProb, sum: total });
      if (best.length > count) best.pop();
    }
  });
  return best;
}
