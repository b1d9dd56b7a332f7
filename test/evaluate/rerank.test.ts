/** Weights for a sum of scores, against cases worked out by hand. */
import { describe, expect, test } from "vitest";
import { type RerankPool, rerankScores, tuneRerank } from "../../src/evaluate/rerank.js";

const names = ["reward", "log-probability"];

describe("tuned weights", () => {
  test("leave out a score that only misleads, and a sum that gains nothing", () => {
    // The first score finds the best sample of either source; the second the worst.
    const pools: RerankPool[] = [
      {
        scores: [
          [0.9, 0.1],
          [-3, -1],
        ],
        metric: [80, 20],
      },
      {
        scores: [
          [0.2, 0.8],
          [-1, -3],
        ],
        metric: [10, 60],
      },
    ];
    const found = tuneRerank(names, pools, 2);
    expect(found.parts.map(({ weight }) => weight)).toEqual([1, 0]);
    expect(found).toMatchObject({ n: 2, sources: 2, alone: 70, tuned: 70 });
    // Over the four samples: rewards 0.9, 0.1, 0.2, 0.8 have mean 0.5 and variance (0.16 + 0.16 + 0.09 + 0.09) / 4.
    expect(found.parts[0]!.mean).toBeCloseTo(0.5, 12);
    expect(found.parts[0]!.deviation).toBeCloseTo(Math.sqrt(0.125), 12);
    expect(found.parts[1]).toMatchObject({ mean: -2, deviation: 1 });
  });

  test("take the second score alone where only that one is right", () => {
    const pools: RerankPool[] = [
      {
        scores: [
          [0.9, 0.1],
          [-3, -1],
        ],
        metric: [20, 80],
      },
    ];
    const found = tuneRerank(names, pools, 2);
    expect(found.alone).toBe(20);
    expect(found.tuned).toBe(80);
    // Standardised, both scores are ±1: the sum turns as soon as the second weighs more than half, the first time at 0.55.
    expect(found.parts.map(({ weight }) => weight)).toEqual([0.45, 0.55]);
  });

  test("mix two scores where neither finds the best sample alone", () => {
    // The first likes sample 0 and the second sample 2; sample 1 is second for both.
    const pools: RerankPool[] = [
      {
        scores: [
          [3, 2, 0],
          [0, 2, 3],
        ],
        metric: [10, 90, 30],
      },
    ];
    const found = tuneRerank(names, pools, 3);
    expect([found.alone, found.tuned]).toEqual([10, 90]);
    // Both have mean 5/3 and one deviation, so the sums compare as 3w, 2, 3(1 − w): sample 1 wins for 1/3 < w < 2/3.
    expect(found.parts[0]!.weight).toBe(0.65);
    // Of a single sample nothing can be chosen: all weights give the mean, and the first stays.
    expect(tuneRerank(names, pools, 1).parts.map(({ weight }) => weight)).toEqual([1, 0]);
    expect(tuneRerank(names, pools, 1).tuned).toBeCloseTo(130 / 3, 12);
  });

  test("cope with a score that never varies, and with three of them", () => {
    const pools: RerankPool[] = [
      {
        scores: [
          [0.5, 0.5, 0.5],
          [1, 2, 3],
          [-9, -9, -1],
        ],
        metric: [0, 10, 40],
      },
    ];
    const found = tuneRerank(["reward", "a", "b"], pools, 3);
    expect(found.parts[0]!.deviation).toBe(1);
    // Ties share: the reward alone gives the mean.
    expect(found.alone).toBeCloseTo(50 / 3, 12);
    expect(found.tuned).toBe(40);
    expect(found.parts.map(({ weight }) => weight)).toEqual([0.9, 0.1, 0]);
  });

  test("refuse more samples than there are", () => {
    expect(() => tuneRerank(names, [{ scores: [[1], [1]], metric: [1] }], 2)).toThrow(RangeError);
  });
});

test("the sum weighs each score after its mean and deviation are taken out", () => {
  const parts = [
    { weight: 0.75, mean: 0.5, deviation: 0.25 },
    { weight: 0.25, mean: -2, deviation: 4 },
  ];
  // 0.75 · (1 − 0.5) / 0.25 + 0.25 · (−6 + 2) / 4 = 1.5 − 0.25; and 0 for a sample at both means.
  expect(
    rerankScores(parts, [
      [1, 0.5],
      [-6, -2],
    ]),
  ).toEqual([1.25, 0]);
  // What counts for nothing may be anything.
  expect(rerankScores([{ weight: 0, mean: 0, deviation: 1 }], [[Number.NaN]])).toEqual([0]);
});
