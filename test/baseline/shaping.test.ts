import { describe, expect, test } from "vitest";
import {
  adaptKlCoefficient,
  divergence,
  normaliseBySource,
  tokenRewards,
} from "../../src/baseline/shaping.js";

describe("normalising by source", () => {
  test("gives the candidates of each source mean 0 and deviation 1, whatever the other sources score", () => {
    // Source 7: 0.2, 0.4 and 0.6, of deviation √(0.08 / 3); source 3: 0.9 and 1.
    const found = normaliseBySource([0.2, 0.9, 0.4, 1, 0.6], [7, 3, 7, 3, 7]);
    const z = 0.2 / Math.sqrt(0.08 / 3);
    for (const [i, expected] of [-z, -1, 0, 1, z].entries()) expect(found[i]).toBeCloseTo(expected, 10);
  });

  test("is 0 where all candidates of a source score alike, rounding or not", () => {
    expect(normaliseBySource([0.1 + 0.2, 0.3, 0.3], [1, 1, 1])).toEqual([0, 0, 0]);
  });
});

describe("the reward of a token", () => {
  const sequence = { logProbs: [-1, -2, -0.5], bcLogProbs: [-1.5, -1, -0.5] };

  test("is the price of leaving BC, and the candidate's own reward with the last one", () => {
    // log π − log π_BC is 0.5, −1 and 0; β = 0.1.
    const rewards = Array.from(tokenRewards(sequence, 0.8, 0.1));
    for (const [t, expected] of [-0.05, 0.1, 0.8].entries()) expect(rewards[t]).toBeCloseTo(expected, 12);
  });

  test("sums to R − β·(log π(y|x) − log π_BC(y|x))", () => {
    const sum = tokenRewards(sequence, 0.8, 0.1).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(0.8 - 0.1 * divergence(sequence), 12);
    expect(divergence(sequence)).toBeCloseTo(-0.5, 12);
  });
});

describe("the coefficient of the divergence", () => {
  test("moves by a tenth of the relative error, which counts up to a fifth", () => {
    // (6.6 − 6) / 6 = 0.1; 12 is twice the target: 0.2 at most; 0 likewise the other way.
    expect(adaptKlCoefficient(0.05, 6.6, 6)).toBeCloseTo(0.05 * 1.01, 12);
    expect(adaptKlCoefficient(0.05, 12, 6)).toBeCloseTo(0.05 * 1.02, 12);
    expect(adaptKlCoefficient(0.05, 0, 6)).toBeCloseTo(0.05 * 0.98, 12);
    expect(adaptKlCoefficient(0.05, 6, 6)).toBe(0.05);
  });

  test("stays where there is no target", () => {
    expect(adaptKlCoefficient(0.05, 100, null)).toBe(0.05);
  });
});
