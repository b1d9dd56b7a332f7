/** A batch of candidates from the policy as it is now: sampled, scored once, and weighed against BC. */

import type { Pair } from "../data/pair.js";
import type { NativePolicy } from "../policy/native.js";
import type { SampledCandidate } from "../policy/policy.js";
import type { Reward } from "../reward/reward.js";

export interface SampledRollout {
  readonly sourceId: number;
  readonly source: string;
  /** As sampled, end-of-sentence included when finished. */
  readonly tokens: readonly number[];
  /** log π of each token under the policy that sampled it, and log π_BC, in nats. */
  readonly logProbs: readonly number[];
  readonly bcLogProbs: readonly number[];
  /** R(x, y), in [0, 1]. */
  readonly reward: number;
  readonly finished: boolean;
}

/** k candidates of each source, by source and sample number. */
export async function rollOut(
  { policy, bc, reward }: { policy: NativePolicy; bc: NativePolicy; reward: Reward },
  sources: readonly { sourceId: number; pair: Pair }[],
  options: {
    n: number;
    temperature: number;
    maxTokens: number;
    seed: number;
    batch: number;
    onProgress: (done: number) => void;
    signal: AbortSignal | undefined;
  },
): Promise<SampledRollout[]> {
  const { n, temperature, maxTokens, seed, batch, onProgress, signal } = options;
  const asked = sources.map(({ sourceId, pair }) => ({ sourceId, text: pair.source }));
  const bySource = new Map<number, SampledCandidate[]>(asked.map(({ sourceId }) => [sourceId, []]));
  for await (const done of policy.sample(asked, {
    n,
    temperature,
    maxTokens,
    seed,
    grow: batch,
    onProgress,
    ...(signal ? { signal } : {}),
  }))
    for (const candidate of done) bySource.get(candidate.sourceId)![candidate.sampleId] = candidate;

  const candidates = sources.flatMap(({ sourceId, pair }) =>
    bySource.get(sourceId)!.map((candidate) => ({ ...candidate, pair })),
  );
  const rewards = await reward.score(
    candidates.map(({ text, pair }) => ({ source: pair.source, candidate: text, reference: pair.target })),
  );
  const scored = await bc.logProbabilities(
    candidates.map(({ tokens, pair }) => ({ source: pair.source, tokens })),
    signal,
  );
  return candidates.map(({ sourceId, pair, tokens, logProbs, finished }, i) => ({
    sourceId,
    source: pair.source,
    tokens,
    logProbs,
    bcLogProbs: scored[i]!.logProbs,
    reward: rewards[i]!,
    finished,
  }));
}
