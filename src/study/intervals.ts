/** Intervals of a study: over seeds where there are two or more, otherwise over the evaluated sources of the one. */

import { bootstrapCorpus, type MetricFromStatistics, pairedBootstrap } from "../evaluate/bootstrap.js";

/** A figure of one run, with what it was computed from. */
export interface Measured {
  seed: number;
  value: number;
  /** Summable statistics of each evaluated source. Asked for only where one seed is all there is. */
  rows(): ArrayLike<number>[];
  metric: MetricFromStatistics;
}

/** A figure of a study with its 95 % interval. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  /** What the interval is over: other seeds, or (with one seed) other sources. */
  over: "seeds" | "sources";
  seeds: number;
}

/** The mean of one figure over seeds. Throws a RangeError without figures. */
export function levelOf(figures: readonly Measured[]): Estimate {
  const [first, ...more] = figures;
  if (first === undefined) throw new RangeError("no figures to take the mean of");
  if (more.length > 0) return overSeeds(figures.map(({ value }) => value));
  const { low, high } = bootstrapCorpus(first.rows(), first.metric, { seed: first.seed });
  return { value: first.value, low, high, over: "sources", seeds: 1 };
}

/** `levelOf` of a reward: in [0, 1], which Student's interval leaves where seeds are few. */
export function rewardLevelOf(figures: readonly Measured[]): Estimate {
  const { low, high, ...level } = levelOf(figures);
  return { ...level, low: Math.max(0, low), high: Math.min(1, high) };
}

/**
 * `of` minus `than`, paired: by seed, or with one seed by source. Undefined where no seed has both. Intervals of
 * differences are narrower than those of the figures: seeds that are hard for one arm are hard for the other.
 */
export function differenceOf(of: readonly Measured[], than: readonly Measured[]): Estimate | undefined {
  const pairs = of.flatMap((one) => {
    const other = than.find(({ seed }) => seed === one.seed);
    return other === undefined ? [] : [{ one, other }];
  });
  const [first, ...more] = pairs;
  if (first === undefined) return undefined;
  if (more.length > 0) return overSeeds(pairs.map(({ one, other }) => one.value - other.value));
  const { one, other } = first;
  const { low, high } = pairedBootstrap(other.rows(), one.rows(), one.metric, { seed: one.seed });
  return { value: one.value - other.value, low, high, over: "sources", seeds: 1 };
}

/**
 * Mean of one value a seed with Student's t interval: mean ± t(0.975, n − 1) · s / √n, s the standard deviation with
 * n − 1. Throws a RangeError below two values.
 */
export function overSeeds(values: readonly number[]): Estimate {
  const n = values.length;
  if (n < 2) throw new RangeError(`an interval over seeds needs two or more, not ${n}`);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = studentT(n - 1) * Math.sqrt(variance / n);
  return { value: mean, low: mean - half, high: mean + half, over: "seeds", seeds: n };
}

/** The t that Student's distribution with `freedom` degrees lies within, on both sides of 0, in 95 % of draws. */
export function studentT(freedom: number): number {
  let low = 0;
  // Widest at one degree of freedom: 12.7.
  let high = 13;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (withinT(middle, freedom) < 0.95) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * P(|T| < t) for whole degrees of freedom ν, with θ = atan(t / √ν): Abramowitz and Stegun 26.7.3 (odd ν) and 26.7.4
 * (even ν).
 */
function withinT(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < freedom; k += 2) {
    term *= (cosine ** 2 * (k - 1)) / k;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
