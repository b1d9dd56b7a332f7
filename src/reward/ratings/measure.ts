/** How well predictions agree with people: correlations, and the share of pairs in the right order, with intervals. */

import { kendall, pairwiseAccuracy, pearson, spearman } from "../../evaluate/correlation.js";
import { deriveKey, integerBelow } from "../../tensor/random.js";

/** What is compared: predictions and people's scores, with who wrote each text and of what source. */
export interface Judged {
  predicted: readonly number[];
  scores: readonly number[];
  systems: readonly string[];
  items: readonly string[];
}

export interface Interval {
  value: number;
  low: number;
  high: number;
}

export interface Figures {
  texts: number;
  pearson: Interval;
  spearman: Interval;
  kendall: number;
  /** Share of pairs of translations of one source in people's order; null where no source has two that differ. */
  withinSource: { accuracy: number; pairs: number } | null;
  /** Share of pairs of systems whose mean scores are in people's order; null with one system. */
  systems: { accuracy: number; pairs: number } | null;
  /** Share of all pairs of texts in people's order. */
  allPairs: number;
}

const RESAMPLES = 1000;

/** Intervals: 95 %, by a bootstrap over sources, since translations of one source are alike. */
export function figuresOf(judged: Judged, seed: number): Figures {
  const { predicted, scores, systems, items } = judged;
  const interval = bootstrap(judged, seed);
  const within = pairwiseAccuracy(predicted, scores, items);
  const names = [...new Set(systems)];
  const means = (values: readonly number[]) =>
    names.map((name) => mean(values.filter((_, i) => systems[i] === name)));
  const between = pairwiseAccuracy(
    means(predicted),
    means(scores),
    names.map(() => 0),
  );
  return {
    texts: scores.length,
    pearson: interval(pearson),
    spearman: interval(spearman),
    kendall: kendall(predicted, scores),
    withinSource: within.pairs === 0 ? null : within,
    systems: between.pairs === 0 ? null : between,
    allPairs: pairwiseAccuracy(
      predicted,
      scores,
      items.map(() => 0),
    ).accuracy,
  };
}

/** Pearson of one prediction minus that of another on the same texts, with its interval over the same resamples. */
export function difference(judged: Judged, other: readonly number[], seed: number): Interval {
  return bootstrap(
    judged,
    seed,
  )((x, y, drawn) => {
    const theirs = drawn ? drawn.map((i) => other[i]!) : other;
    return pearson(x, y) - pearson(theirs, y);
  });
}

type Statistic = (
  predicted: readonly number[],
  scores: readonly number[],
  drawn?: readonly number[],
) => number;

function bootstrap({ predicted, scores, items }: Judged, seed: number) {
  const groups = new Map<string, number[]>();
  items.forEach((item, i) => {
    const group = groups.get(item);
    if (group) group.push(i);
    else groups.set(item, [i]);
  });
  const all = [...groups.values()];
  return (statistic: Statistic): Interval => {
    const found = Array.from({ length: RESAMPLES }, (_, resample) => {
      const key = deriveKey(seed, 0x72617465, resample);
      const drawn = all.flatMap((_, i) => all[integerBelow(key, i, all.length)]!);
      return statistic(
        drawn.map((i) => predicted[i]!),
        drawn.map((i) => scores[i]!),
        drawn,
      );
    }).sort((a, b) => a - b);
    const cut = Math.floor(RESAMPLES / 40);
    return { value: statistic(predicted, scores), low: found[cut]!, high: found[RESAMPLES - 1 - cut]! };
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
