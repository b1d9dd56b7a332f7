/** Intervals over seeds and over sources, worked by hand or from printed tables. */

import { describe, expect, test } from "vitest";
import {
  differenceOf,
  levelOf,
  type Measured,
  overSeeds,
  rewardLevelOf,
  studentT,
} from "../../src/study/intervals.js";

/** A mean over sources. */
function measured(seed: number, values: readonly number[]): Measured {
  return {
    seed,
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
    rows: () => values.map((value) => [value, 1]),
    metric: ([sum, count]) => sum! / count!,
  };
}

test.each([
  // Student's t at 0.975, from printed tables (two decimals more than most have: NIST/SEMATECH e-Handbook, 1.3.6.7.2).
  [1, 12.706],
  [2, 4.303],
  [3, 3.182],
  [4, 2.776],
  [9, 2.262],
  [10, 2.228],
  [30, 2.042],
  [100, 1.984],
])("with %i degrees of freedom t is %f", (freedom, t) => {
  expect(studentT(freedom)).toBeCloseTo(t, 3);
});

describe("over seeds", () => {
  test("the interval of 1, 2 and 3 is 2 ± 4.303 · 1 / √3", () => {
    const { value, low, high, over, seeds } = overSeeds([1, 2, 3]);
    expect(value).toBe(2);
    expect(low).toBeCloseTo(2 - 2.4843, 3);
    expect(high).toBeCloseTo(2 + 2.4843, 3);
    expect([over, seeds]).toEqual(["seeds", 3]);
  });

  test("seeds that agree leave no interval", () => {
    expect(overSeeds([0.5, 0.5])).toMatchObject({ value: 0.5, low: 0.5, high: 0.5 });
  });

  test("one seed has no interval over seeds", () => {
    expect(() => overSeeds([1])).toThrow(RangeError);
  });

  test("a difference is paired by seed: what one seed adds to both leaves it as it is", () => {
    const than = [measured(1, [0.2]), measured(2, [0.6])];
    const of = [measured(2, [0.7]), measured(1, [0.3])];
    const difference = differenceOf(of, than)!;
    expect(difference.value).toBeCloseTo(0.1, 12);
    expect(difference.high - difference.low).toBeLessThan(1e-9);
    // Unpaired, the same figures say nothing: 0.5 ± 2.5.
    expect(levelOf(of).high - levelOf(of).low).toBeGreaterThan(5);
  });

  test("seeds that only one side has are left out", () => {
    const difference = differenceOf(
      [measured(1, [3]), measured(2, [9])],
      [measured(2, [4]), measured(3, [1])],
    )!;
    expect(difference).toMatchObject({ value: 5, seeds: 1, over: "sources" });
    expect(differenceOf([measured(1, [3])], [measured(2, [3])])).toBeUndefined();
  });

  test("a reward's interval ends at 0 and 1", () => {
    const figures = [measured(1, [0.1]), measured(2, [0.9])];
    expect(levelOf(figures).low).toBeLessThan(0);
    expect(rewardLevelOf(figures)).toMatchObject({ value: 0.5, low: 0, high: 1 });
  });
});

describe("over the sources of one seed", () => {
  test("sources that agree leave no interval, and it is said to be over sources", () => {
    expect(levelOf([measured(1, [0.4, 0.4, 0.4])])).toEqual({
      value: expect.closeTo(0.4, 12),
      low: expect.closeTo(0.4, 12),
      high: expect.closeTo(0.4, 12),
      over: "sources",
      seeds: 1,
    });
  });

  test("a difference that every source shows is certain, however the sources differ", () => {
    const than = [0, 0.5, 0.9, 0.2];
    const of = than.map((value) => value + 0.1);
    const difference = differenceOf([measured(7, of)], [measured(7, than)])!;
    expect(difference.low).toBeCloseTo(0.1, 12);
    expect(difference.high).toBeCloseTo(0.1, 12);
  });

  test("a difference that half of the sources show the other way round is not", () => {
    const than = Array.from({ length: 40 }, () => 0.5);
    const of = than.map((value, i) => value + (i % 2 === 0 ? 0.1 : -0.1));
    const { low, high } = differenceOf([measured(7, of)], [measured(7, than)])!;
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
  });
});
