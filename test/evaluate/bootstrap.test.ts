/** Bootstrap against sacreBLEU 2.6.0 on the rows it drew (test/fixtures/sacrebleu/make_sentences.py), and its laws. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { bleuFromStatistics, bleuStatistics } from "../../src/evaluate/bleu.js";
import {
  bootstrapCorpus,
  bootstrapMean,
  type MetricFromStatistics,
  pairedBootstrap,
} from "../../src/evaluate/bootstrap.js";
import { chrfFromStatistics, chrfStatistics } from "../../src/evaluate/chrf.js";
import { deriveKey, normal } from "../../src/tensor/random.js";
import { readFixture, type SentencesFixture } from "./fixtures.js";

const { baseline, system, references, draws, ...figures } =
  readFixture<SentencesFixture>("sacrebleu/sentences.json").bootstrap;
const sameDraws = { resamples: draws.length, draw: (resample: number) => draws[resample] };

const bleu: MetricFromStatistics = (sum) => bleuFromStatistics(sum).score;
const metrics = [
  { name: "bleu", metric: bleu, statistics: bleuStatistics },
  { name: "chrf", metric: chrfFromStatistics, statistics: chrfStatistics },
] as const;

describe.each(metrics)("$name on sacreBLEU's draws", ({ name, metric, statistics }) => {
  const expected = figures[name];
  const ours = statistics(baseline, references);
  const theirs = statistics(system, references);

  // sacreBLEU resamples in 32-bit floats, hence four digits.
  test("the interval is sacreBLEU's", () => {
    const { value, low, high } = bootstrapCorpus(theirs, metric, sameDraws);
    expect(value).toBeCloseTo(expected.system, 9);
    expect(low).toBeCloseTo(expected.low, 4);
    expect(high).toBeCloseTo(expected.high, 4);
    expect((high - low) / 2).toBeCloseTo(expected.halfWidth, 4);
  });

  test("the paired test's p-value is sacreBLEU's", () => {
    const { difference, pValue } = pairedBootstrap(ours, theirs, metric, sameDraws);
    expect(difference).toBeCloseTo(expected.system - expected.baseline, 9);
    expect(pValue).toBeCloseTo(expected.pValue, 12);
  });
});

/** `n` standard normal numbers. */
const normals = (n: number, stream: number) =>
  Array.from({ length: n }, (_, i) => normal(deriveKey(5, stream), i));

test("one seed gives one interval, another seed another", () => {
  const values = normals(50, 1);
  expect(bootstrapMean(values, { seed: 3 })).toEqual(bootstrapMean(values, { seed: 3 }));
  expect(bootstrapMean(values, { seed: 3 }).low).not.toBe(bootstrapMean(values, { seed: 4 }).low);
});

test("the interval of a mean is ± 1.96 standard errors wide", () => {
  const values = normals(400, 2);
  const mean = values.reduce((a, b) => a + b, 0) / 400;
  const error = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 400) / 20;
  const { value, low, high } = bootstrapMean(values, { resamples: 4000 });
  expect(value).toBeCloseTo(mean, 12);
  // The ends of 4,000 resamples stray by about 3 % of the width.
  expect((high - low) / (2 * 1.96 * error)).toBeGreaterThan(0.9);
  expect((high - low) / (2 * 1.96 * error)).toBeLessThan(1.1);
});

test("the 95 % interval of a mean holds the true mean about 95 times in 100", () => {
  let held = 0;
  for (let trial = 0; trial < 300; trial++) {
    const { low, high } = bootstrapMean(normals(60, 100 + trial), { resamples: 400, seed: trial });
    if (low <= 0 && 0 <= high) held++;
  }
  // 285 expected; five standard deviations are 19.
  expect(held).toBeGreaterThan(266);
  expect(held).toBeLessThan(300);
});

test("ten copies of each value in a group make the interval no narrower", () => {
  const values = normals(40, 3);
  const copies = values.flatMap((value) => new Array<number>(10).fill(value));
  const groups = values.flatMap((_, source) => new Array<number>(10).fill(source));
  const grouped = bootstrapMean(copies, { groups });
  const single = bootstrapMean(values);
  expect(grouped.low).toBeCloseTo(single.low, 12);
  expect(grouped.high).toBeCloseTo(single.high, 12);
  const naive = bootstrapMean(copies);
  expect(naive.high - naive.low).toBeLessThan(0.5 * (single.high - single.low));
});

test("constant values have an interval of no width", () => {
  fc.assert(
    fc.property(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 20 }), (value, n) => {
      const interval = bootstrapMean(new Array<number>(n).fill(value), { resamples: 40 });
      expect(interval).toEqual({ value, low: value, high: value });
    }),
  );
});

const mean: MetricFromStatistics = ([sum, count]) => sum / count;
const rows = (values: readonly number[]) => values.map((value) => [value, 1]);

test("a system that is always better differs at any resample, and one does not differ from itself", () => {
  const base = normals(100, 4);
  const { difference, low, high } = pairedBootstrap(rows(base), rows(base), mean);
  expect([difference, low, high]).toEqual([0, 0, 0]);
  const better = pairedBootstrap(rows(base), rows(base.map((v) => v + 0.5)), mean);
  expect(better.difference).toBeCloseTo(0.5, 12);
  expect(better.low).toBeCloseTo(0.5, 12);
  expect(better.pValue).toBeCloseTo(1 / 1001, 12);
});

test("of equal systems sacreBLEU's p-value calls 11 % different at 0.05, the interval of the difference about 5 %", () => {
  let byPValue = 0;
  let byInterval = 0;
  for (let trial = 0; trial < 400; trial++) {
    const a = rows(normals(60, 10_000 + trial));
    const b = rows(normals(60, 20_000 + trial));
    const { low, high, pValue } = pairedBootstrap(a, b, mean, { resamples: 200, seed: trial });
    if (pValue < 0.05) byPValue++;
    if (low > 0 || high < 0) byInterval++;
  }
  // sacreBLEU 2.6.0's own function: 2,283 of 20,000 such pairs, so 46 expected here, standard deviation 6.4.
  expect(byPValue).toBeGreaterThan(46 - 26);
  expect(byPValue).toBeLessThan(46 + 26);
  // 20 expected of an exact interval, standard deviation 4.4; 60 sentences are few, so nearer 25.
  expect(byInterval).toBeGreaterThan(2);
  expect(byInterval).toBeLessThan(20 + 22);
});

test("systems of different length and empty data are refused in one sentence", () => {
  expect(() => pairedBootstrap(rows([1, 2]), rows([1]), mean)).toThrow(UserError);
  expect(() => bootstrapMean([])).toThrow(UserError);
});
