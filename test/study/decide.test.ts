/** The rules of the verdicts, with figures on both sides of each line. */

import { describe, expect, test } from "vitest";
import { above, all, doublingsSaved, not, rankDifferently, weakest } from "../../src/study/decide.js";
import type { Estimate } from "../../src/study/intervals.js";

describe("above", () => {
  test.each([
    [{ low: 0.001, high: 5 }, "holds"],
    [{ low: 0, high: 5 }, "not decided"],
    [{ low: -0.001, high: 5 }, "not decided"],
    [{ low: -5, high: 0.001 }, "not decided"],
    [{ low: -5, high: 0 }, "does not hold"],
    [{ low: -5, high: -0.001 }, "does not hold"],
    // No change at all is not a rise.
    [{ low: 0, high: 0 }, "does not hold"],
  ] as const)("an interval %o is above 0: %s", (interval, outcome) => {
    expect(above(interval)).toBe(outcome);
  });

  test("another bound moves the line", () => {
    expect(above({ low: -0.9, high: 3 }, -1)).toBe("holds");
    expect(above({ low: -1.1, high: 3 }, -1)).toBe("not decided");
    expect(above({ low: -3, high: -1 }, -1)).toBe("does not hold");
  });
});

describe("all", () => {
  test("holds where every part holds", () => {
    expect(all(["holds", "holds"])).toBe("holds");
  });
  test("fails with one part, whatever is open", () => {
    expect(all(["holds", "not decided", "does not hold"])).toBe("does not hold");
  });
  test("is open while a part is, and without parts", () => {
    expect(all(["holds", "not decided"])).toBe("not decided");
    expect(all([])).toBe("not decided");
  });
});

test("not turns a verdict round and leaves what is open open", () => {
  expect([not("holds"), not("does not hold"), not("not decided")]).toEqual([
    "does not hold",
    "holds",
    "not decided",
  ]);
});

test("weakest is the estimate with the least value", () => {
  const estimate = (value: number): Estimate => ({ value, low: 0, high: 0, over: "seeds", seeds: 2 });
  expect(weakest([3, -1, 2].map(estimate))?.value).toBe(-1);
  expect(weakest([])).toBeUndefined();
});

describe("doublingsSaved", () => {
  const curve = [
    { n: 1, reward: 0.5 },
    { n: 2, reward: 0.6 },
    { n: 4, reward: 0.8 },
    { n: 16, reward: 0.9 },
  ];
  test.each([
    // Reached with one sample: all four doublings up to 16 are saved.
    [0.4, 4],
    [0.5, 4],
    // Half of the way from N = 1 to N = 2.
    [0.55, 3.5],
    [0.8, 2],
    // Half of the two doublings from 4 to 16: N = 8.
    [0.85, 1],
    [0.9, 0],
    // Never reached.
    [0.95, 0],
  ])("a curve that reaches %f saves %f doublings", (target, saved) => {
    expect(doublingsSaved(curve, target)).toBeCloseTo(saved, 12);
  });
});

describe("rankDifferently", () => {
  const up = { low: 1, high: 2 };
  const down = { low: -2, high: -1 };
  const open = { low: -1, high: 1 };
  test("holds where one pair is ordered oppositely beyond noise", () => {
    const pairs = [
      { reward: up, judge: up },
      { reward: up, judge: down },
    ];
    expect(rankDifferently(pairs)).toBe("holds");
  });
  test("does not hold where the judge bears out every pair that the reward separates", () => {
    const pairs = [
      { reward: up, judge: up },
      { reward: down, judge: down },
      { reward: open, judge: down },
    ];
    expect(rankDifferently(pairs)).toBe("does not hold");
  });
  test("is open where the judge cannot separate such a pair, or the reward none", () => {
    expect(rankDifferently([{ reward: up, judge: open }])).toBe("not decided");
    expect(rankDifferently([{ reward: open, judge: down }])).toBe("not decided");
    expect(rankDifferently([])).toBe("not decided");
  });
});
