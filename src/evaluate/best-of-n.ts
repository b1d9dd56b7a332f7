/** What the best of N samples would score, for any N up to the pool that was drawn once. */

export interface BestOfN {
  n: number;
  /** Expected highest reward among n samples. */
  reward: number;
  /** Expected second metric of the sample with that reward, where the metric was given. */
  metric?: number;
}

/**
 * Unbiased estimate of the expected best of n out of one source's pool, for each n of `ns`: the average over all
 * subsets of n samples, without making them. In the pool sorted by reward, the sample of rank i (from 1) is the best
 * of C(i−1, n−1) of the C(pool, n) subsets.
 *
 *     bestOfN([0.2, 0.9, 0.4], [1, 3])   // rewards 0.5 and 0.9
 * @param rewards the pool; any order
 * @param metric the second metric of the same samples; samples with equal rewards share the mean of theirs
 * @throws RangeError for an n that is not a whole number from 1 to the pool's size
 */
export function bestOfN(
  rewards: ArrayLike<number>,
  ns: readonly number[],
  metric?: ArrayLike<number>,
): BestOfN[] {
  if (metric && metric.length !== rewards.length)
    throw new RangeError(`${metric.length} metric values for ${rewards.length} rewards`);
  const order = Array.from({ length: rewards.length }, (_, i) => i).sort((a, b) => rewards[a] - rewards[b]);
  const sortedRewards = order.map((i) => rewards[i]);
  const sortedMetric =
    metric &&
    averageTies(
      sortedRewards,
      order.map((i) => metric[i]),
    );
  return ns.map((n) => {
    const weights = bestOfNWeights(order.length, n);
    const reward = dot(weights, sortedRewards);
    return sortedMetric ? { n, reward, metric: dot(weights, sortedMetric) } : { n, reward };
  });
}

/**
 * The mean of `bestOfN` over sources: one point for each n of `ns`.
 * @param pools the samples of each source
 * @throws RangeError for an n beyond the smallest pool, and without pools
 */
export function bestOfNCurve(
  pools: readonly { rewards: ArrayLike<number>; metric?: ArrayLike<number> }[],
  ns: readonly number[],
): BestOfN[] {
  if (pools.length === 0) throw new RangeError("no pools of samples");
  const points = pools.map(({ rewards, metric }) => bestOfN(rewards, ns, metric));
  return ns.map((n, i) => {
    const reward = points.reduce((sum, curve) => sum + curve[i].reward, 0) / pools.length;
    if (pools.some((pool) => !pool.metric)) return { n, reward };
    return {
      n,
      reward,
      metric: points.reduce((sum, curve) => sum + (curve[i].metric ?? 0), 0) / pools.length,
    };
  });
}

/** Chance that the sample of each rank, lowest first, is the best of n drawn from the pool without replacement. */
function bestOfNWeights(pool: number, n: number): Float64Array {
  if (!Number.isInteger(n) || n < 1 || n > pool)
    throw new RangeError(`best of ${n} cannot be estimated from a pool of ${pool} samples`);
  const weights = new Float64Array(pool);
  // The ratio of neighbouring binomials, so that nothing overflows: w_pool = n / pool, w_{i−1} = w_i (i − n) / (i − 1).
  let weight = n / pool;
  for (let rank = pool; rank >= n; rank--) {
    weights[rank - 1] = weight;
    weight *= rank > 1 ? (rank - n) / (rank - 1) : 0;
  }
  return weights;
}

/** `values` with each run of equal `keys` replaced by its mean. */
function averageTies(keys: readonly number[], values: readonly number[]): number[] {
  const averaged: number[] = [];
  for (let start = 0; start < keys.length; ) {
    let end = start + 1;
    while (end < keys.length && keys[end] === keys[start]) end++;
    const mean = values.slice(start, end).reduce((sum, value) => sum + value, 0) / (end - start);
    while (start < end) averaged[start++] = mean;
  }
  return averaged;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
