/** The best-of-N estimator against the average over all subsets, which it replaces. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { bestOfN, bestOfNCurve } from "../../src/evaluate/best-of-n.js";

/** All subsets of `n` of the numbers 0 to `pool` − 1. */
function subsets(pool: number, n: number): number[][] {
  if (n === 0) return [[]];
  if (pool < n) return [];
  return [...subsets(pool - 1, n), ...subsets(pool - 1, n - 1).map((rest) => [...rest, pool - 1])];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Few distinct rewards, so that ties are common.
const pool = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 100 })), {
  minLength: 1,
  maxLength: 9,
});

test("best of n is the mean over all subsets of n, for the reward and for the metric of the best", () => {
  fc.assert(
    fc.property(pool, (samples) => {
      const rewards = samples.map(([reward]) => reward / 4);
      const metric = samples.map(([, value]) => value);
      const ns = samples.map((_, i) => i + 1);
      for (const estimate of bestOfN(rewards, ns, metric)) {
        const all = subsets(samples.length, estimate.n);
        expect(estimate.reward).toBeCloseTo(mean(all.map((s) => Math.max(...s.map((i) => rewards[i])))), 9);
        // Each of the samples that share a reward stands for all of them.
        const shared = (i: number) => mean(metric.filter((_, j) => rewards[j] === rewards[i]));
        const best = all.map((s) => shared(s.reduce((a, b) => (rewards[b] > rewards[a] ? b : a))));
        expect(estimate.metric).toBeCloseTo(mean(best), 8);
      }
    }),
  );
});

test("from three samples, by hand", () => {
  // Best of 2 over the pairs of 0.2, 0.9, 0.4: 0.9, 0.4, 0.9.
  const points = bestOfN([0.2, 0.9, 0.4], [1, 2, 3]);
  expect(points.map(({ n }) => n)).toEqual([1, 2, 3]);
  [0.5, 2.2 / 3, 0.9].forEach((expected, i) => {
    expect(points[i].reward).toBeCloseTo(expected, 12);
  });
});

test("the best of n of uniform rewards is n / (n + 1) on average: no bias from the pool's size", () => {
  // A pool of evenly spaced rewards i / (m + 1) has exactly this expectation, as uniform order statistics do.
  const m = 200;
  const rewards = Array.from({ length: m }, (_, i) => (i + 1) / (m + 1));
  for (const { n, reward } of bestOfN(rewards, [1, 2, 16, 100, 200]))
    expect(reward).toBeCloseTo(n / (n + 1), 12);
});

test("a pool of thousands overflows nothing", () => {
  const rewards = Array.from({ length: 5000 }, (_, i) => i);
  // C(5000, 2500) is far beyond a double; the expectation is (n (m + 1)) / (n + 1) − 1.
  expect(bestOfN(rewards, [2500])[0].reward).toBeCloseTo((2500 * 5001) / 2501 - 1, 6);
});

test("a curve averages sources, and carries the metric when every source has one", () => {
  const pools = [
    { rewards: [0, 1], metric: [10, 30] },
    { rewards: [0.5, 0.5], metric: [50, 70] },
  ];
  expect(bestOfNCurve(pools, [1, 2])).toEqual([
    { n: 1, reward: 0.5, metric: 40 },
    { n: 2, reward: 0.75, metric: 45 },
  ]);
  expect(bestOfNCurve([{ rewards: [0, 1] }], [2])).toEqual([{ n: 2, reward: 1 }]);
});

test("an n beyond the pool, below one or broken is refused", () => {
  for (const n of [0, 4, 1.5, Number.NaN]) expect(() => bestOfN([1, 2, 3], [n])).toThrow(RangeError);
  expect(() => bestOfN([1, 2], [1], [1])).toThrow(RangeError);
  expect(() => bestOfNCurve([], [1])).toThrow(RangeError);
});
