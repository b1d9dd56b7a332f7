/** Correlations against scipy 1.17.1 (test/fixtures/scipy/make.py), by hand, and against counting all pairs. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  averageRanks,
  kendall,
  pairwiseAccuracy,
  pearson,
  spearman,
} from "../../src/evaluate/correlation.js";
import { type CorrelationFixture, readFixture } from "./fixtures.js";

describe.each(readFixture<CorrelationFixture>("scipy/correlation.json").cases)("$name", (expected) => {
  const { x, y } = expected;
  test("Pearson, Spearman, Kendall and the ranks are scipy's", () => {
    expect(pearson(x, y)).toBeCloseTo(expected.pearson, 12);
    expect(spearman(x, y)).toBeCloseTo(expected.spearman, 12);
    expect(kendall(x, y)).toBeCloseTo(expected.kendall, 12);
    expect(Array.from(averageRanks(x))).toEqual(expected.ranks);
  });
});

const points = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), {
  minLength: 2,
  maxLength: 30,
});

test("Kendall's τ-b is what counting all pairs gives", () => {
  fc.assert(
    fc.property(points, (list) => {
      let difference = 0;
      let untiedX = 0;
      let untiedY = 0;
      list.forEach(([x, y], i) => {
        for (const [otherX, otherY] of list.slice(0, i)) {
          difference += Math.sign(x - otherX) * Math.sign(y - otherY);
          untiedX += x === otherX ? 0 : 1;
          untiedY += y === otherY ? 0 : 1;
        }
      });
      const tau = kendall(
        list.map(([x]) => x),
        list.map(([, y]) => y),
      );
      if (untiedX === 0 || untiedY === 0) expect(tau).toBeNaN();
      else expect(tau).toBeCloseTo(difference / Math.sqrt(untiedX * untiedY), 12);
    }),
  );
});

test("rank correlations see only the order, and every one is 1 for a rising line and −1 for a falling one", () => {
  const x = [1, 2, 3, 4, 5];
  const exponential = x.map((value) => Math.exp(3 * value));
  for (const correlation of [spearman, kendall]) expect(correlation(x, exponential)).toBeCloseTo(1, 12);
  expect(pearson(x, exponential)).toBeLessThan(0.8);
  for (const correlation of [pearson, spearman, kendall]) {
    expect(
      correlation(
        x,
        x.map((value) => 3 * value + 1),
      ),
    ).toBeCloseTo(1, 12);
    expect(
      correlation(
        x,
        x.map((value) => -value),
      ),
    ).toBeCloseTo(-1, 12);
  }
});

test("a constant side has no correlation, whatever rounding does to its mean", () => {
  for (const correlation of [pearson, spearman, kendall])
    expect(correlation([0.1, 0.1, 0.1], [1, 2, 3])).toBeNaN();
  expect(() => pearson([1], [1, 2])).toThrow(RangeError);
});

test("Kendall's τ of 200,000 pairs needs no quadratic time", () => {
  // 2 · 10^10 pairs would take minutes. A shift by k of n: k (n − k) pairs are discordant.
  const n = 200_000;
  const k = 50_000;
  const x = Float64Array.from({ length: n }, (_, i) => i);
  const shifted = Float64Array.from({ length: n }, (_, i) => (i + k) % n);
  expect(kendall(x, shifted)).toBeCloseTo(1 - (4 * k * (n - k)) / (n * (n - 1)), 12);
});

test("pairs count within a source only; equal targets are skipped, equal predictions count half", () => {
  const targets = [1, 2, 3, 5, 5, 9, 1];
  const predictions = [0.1, 0.3, 0.2, 0.9, 0.8, 0.8, 0.7];
  const sources = ["a", "a", "a", "b", "b", "b", "c"];
  // a: 1<2 right, 1<3 right, 2<3 wrong. b: 5=5 skipped, 5<9 (0.9 against 0.8) wrong, 5<9 (0.8, 0.8) half. c: alone.
  expect(pairwiseAccuracy(predictions, targets, sources)).toEqual({ accuracy: 2.5 / 5, pairs: 5 });
});

test("a constant prediction orders half the pairs, the target itself all of them", () => {
  fc.assert(
    fc.property(points, (list) => {
      const targets = list.map(([target]) => target);
      const groups = list.map(([, group]) => group);
      const { accuracy, pairs } = pairwiseAccuracy(targets, targets, groups);
      if (pairs === 0) expect(accuracy).toBeNaN();
      else {
        expect(accuracy).toBe(1);
        expect(
          pairwiseAccuracy(
            targets.map(() => 0),
            targets,
            groups,
          ).accuracy,
        ).toBe(0.5);
      }
    }),
  );
});
