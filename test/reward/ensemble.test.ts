import { describe, expect, test } from "vitest";
import { combined, EnsembleReward, scaleIssue } from "../../src/reward/ensemble.js";
import type { Reward } from "../../src/reward/reward.js";

const minimum = { combine: "minimum", deviations: 1 } as const;
const cautious = (deviations: number) => ({ combine: "mean-minus-deviation", deviations }) as const;

/** Scores candidates that are numbers from 0 to 1 by `score`. */
function reward(name: string, score: (value: number) => number, needsReference = false): Reward {
  return {
    name,
    needsReference,
    score: async (batch) => batch.map((input) => score(Number(input.candidate))),
  };
}
const straight = reward("straight", (value) => value);
/** 0, 1/99, …, 1: mean 0.5, standard deviation 0.29. */
const inputs = Array.from({ length: 100 }, (_, i) => ({ source: "x", candidate: String(i / 99) }));

describe("combined", () => {
  test("the minimum is the lowest part", () => {
    expect(combined([0.5, 0.2, 0.9], minimum)).toBe(0.2);
  });

  test("mean minus deviation: of 0.2 and 0.6 the mean is 0.4 and the standard deviation 0.2", () => {
    expect(combined([0.2, 0.6], cautious(0))).toBeCloseTo(0.4, 15);
    expect(combined([0.2, 0.6], cautious(1))).toBeCloseTo(0.2, 15);
    expect(combined([0.2, 0.6], cautious(0.5))).toBeCloseTo(0.3, 15);
  });

  test("it stays a reward: never below 0", () => {
    expect(combined([0, 0.8], cautious(3))).toBe(0);
  });

  test("parts that agree lose nothing", () => {
    expect(combined([0.75, 0.75, 0.75], cautious(5))).toBe(0.75);
  });
});

describe("EnsembleReward", () => {
  test("scores every candidate by all parts, and needs a reference where one of them does", async () => {
    const ensemble = new EnsembleReward([straight, reward("turned", (value) => 1 - value)], minimum);
    const some = ["0.3", "0.5", "0.9"].map((candidate) => ({ source: "x", candidate }));
    expect(await ensemble.score(some)).toEqual([0.3, 0.5, 1 - 0.9]);
    expect(ensemble.needsReference).toBe(false);
    expect(new EnsembleReward([straight, reward("other", () => 1, true)], minimum).needsReference).toBe(true);
  });

  test("a part that breaks the contract is named, not the ensemble", async () => {
    const ensemble = new EnsembleReward([straight, reward("wild", () => 7)], minimum);
    await expect(ensemble.score(inputs)).rejects.toThrow('reward "wild" returned 7');
  });

  test("one part is no ensemble", () => {
    expect(() => new EnsembleReward([straight], minimum)).toThrow(
      "an ensemble of rewards has one part but needs two at least",
    );
  });

  test("a part 20 times narrower is refused in one sentence, one 5 times narrower is not", async () => {
    const narrower = (times: number) =>
      new EnsembleReward([straight, reward("narrow", (value) => 0.5 + (value - 0.5) / times)], minimum);
    await expect(narrower(20).compareScales(inputs)).rejects.toThrow(
      'the parts of the ensemble of rewards are on different scales: "straight" varies by 0.29 among candidates and "narrow" by 0.015, and at most 10 times less was expected; spread "narrow" over 0 to 1 or leave it out',
    );
    await expect(narrower(5).compareScales(inputs)).resolves.toBeUndefined();
  });

  test("few candidates are not judged", async () => {
    const ensemble = new EnsembleReward([straight, reward("constant", () => 0.5)], minimum);
    await expect(ensemble.compareScales(inputs.slice(0, 19))).resolves.toBeUndefined();
    await expect(ensemble.compareScales(inputs)).rejects.toThrow('"constant" by 0');
  });
});

describe("scaleIssue", () => {
  const parts = (...of: [mean: number, deviation: number][]) =>
    of.map(([mean, deviation], i) => ({ name: "abc"[i]!, mean, deviation }));

  test("up to 10 times wider passes, more does not", () => {
    expect(scaleIssue(parts([0.5, 0.2], [0.5, 0.02]))).toBeUndefined();
    expect(scaleIssue(parts([0.5, 0.2], [0.5, 0.0199]))).toContain('"a" varies by 0.2');
  });

  test("means up to 3 of the wider spreads apart pass, more do not", () => {
    expect(scaleIssue(parts([0.2, 0.1], [0.49, 0.05]))).toBeUndefined();
    expect(scaleIssue(parts([0.2, 0.1], [0.51, 0.05]))).toContain(
      '"b" has a mean of 0.51 and "a" of 0.2, more than 3 times their spread apart',
    );
  });
});
