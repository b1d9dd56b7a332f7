/** Choosing among samples by a weighted sum of several scores, the weights tuned against a metric. */

import { bestOfNCurve } from "./best-of-n.js";

/** One score of the sum. */
export interface RerankPart {
  name: string;
  /** Share in the sum, from 0; the weights sum to 1. */
  weight: number;
  /** Over the tuning samples; the score counts after the mean is taken off and by the deviation divided. */
  mean: number;
  /** 1 where the score did not vary. */
  deviation: number;
}

export interface Rerank {
  parts: RerankPart[];
  /** Samples of which the best was taken when the weights were tuned. */
  n: number;
  /** Sources that they were tuned on. */
  sources: number;
  /** Expected metric of the best of n there: by the first score alone, and by the sum. */
  alone: number;
  tuned: number;
}

/** Samples of one source: `scores[part][sample]`, and the metric of each. */
export interface RerankPool {
  scores: readonly (readonly number[])[];
  metric: readonly number[];
}

/** Steps from weight 0 to weight 1, by the number of parts: at most a few hundred combinations. */
const STEPS = [1, 20, 10, 6, 5];
const STEPS_OF_MORE = 4;

/**
 * Tries all weights on a grid over the simplex and keeps those whose best of `n` has the highest expected metric; of equal
 * ones the one with the most weight on the first score, then on the second, and so on.
 *
 * @param names of the scores, one or more; their first is what the sum is compared with
 * @throws RangeError without pools, or for an n beyond the smallest pool
 * @example tuneRerank(["reward", "log-probability"], pools, 16).parts   // [{ name: "reward", weight: 0.7, … }, …]
 */
export function tuneRerank(names: readonly string[], pools: readonly RerankPool[], n: number): Rerank {
  const scales = names.map((name, part) => {
    const values = pools.flatMap(({ scores }) => scores[part]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { name, mean, deviation: variance > 1e-24 ? Math.sqrt(variance) : 1 };
  });
  const steps = STEPS[names.length - 1] ?? STEPS_OF_MORE;
  let best: { parts: RerankPart[]; metric: number } | undefined;
  let alone = Number.NaN;
  for (const counts of compositions(steps, names.length)) {
    const parts = scales.map((scale, part) => ({ ...scale, weight: counts[part]! / steps }));
    const metric = expectedMetric(parts, pools, n);
    if (counts[0] === steps) alone = metric;
    if (!best || metric > best.metric) best = { parts, metric };
  }
  return { parts: best!.parts, n, sources: pools.length, alone, tuned: best!.metric };
}

/** The weighted sum of each sample's scores: `scores[part][sample]`, parts in the order of `parts`. */
export function rerankScores(
  parts: readonly Pick<RerankPart, "weight" | "mean" | "deviation">[],
  scores: readonly (readonly number[])[],
): number[] {
  return (scores[0] ?? []).map((_, sample) =>
    parts.reduce(
      (sum, { weight, mean, deviation }, part) =>
        // A weight of 0 leaves a score out, whatever it is.
        weight === 0 ? sum : sum + (weight * (scores[part]![sample]! - mean)) / deviation,
      0,
    ),
  );
}

function expectedMetric(parts: readonly RerankPart[], pools: readonly RerankPool[], n: number): number {
  const [point] = bestOfNCurve(
    pools.map(({ scores, metric }) => ({ rewards: rerankScores(parts, scores), metric })),
    [n],
  );
  return point!.metric!;
}

/** All ways to write `total` as a sum of `parts` whole numbers from 0, the first as large as can be at first. */
function* compositions(total: number, parts: number): Generator<number[]> {
  if (parts === 1) {
    yield [total];
    return;
  }
  for (let first = total; first >= 0; first--)
    for (const others of compositions(total - first, parts - 1)) yield [first, ...others];
}
