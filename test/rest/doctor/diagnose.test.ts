/** Each of the doctor's lines, from both sides, with figures made by hand. */

import { describe, expect, test } from "vitest";
import {
  diagnose,
  judgeBestOf,
  judgeCost,
  judgeRepeat,
  judgeSpread,
  judgeTemperature,
} from "../../../src/rest/doctor/diagnose.js";

describe("the reward's spread", () => {
  const state = (spread: number, noise: number) => judgeSpread({ spread, noise }).state;

  test("below half a point all candidates score alike, whatever the noise", () => {
    expect([state(0.0049, 0), state(0.005, 0)]).toEqual(["bad", "good"]);
  });

  test("less than its noise is bad, less than twice its noise weak, from there on good", () => {
    expect([state(0.099, 0.1), state(0.1, 0.1), state(0.199, 0.1), state(0.2, 0.1)]).toEqual([
      "bad",
      "weak",
      "weak",
      "good",
    ]);
  });

  test("the answer has both figures in points and their ratio, where there is one", () => {
    expect(judgeSpread({ spread: 0.2, noise: 0.05 }).answer).toBe(
      "Their rewards spread by 20.0 points of 100; edits that change no meaning move a reward by 5.0 (its noise), 4.0 times that.",
    );
    expect(judgeSpread({ spread: 0.2, noise: 0 }).answer).toMatch(/by 0\.0 \(its noise\)\.$/);
  });
});

describe("best of N", () => {
  const figures = { n: 16, metric: "chrF", sources: 200, single: 40, oracleGain: 12, standardError: 0.5 };
  const state = (over: Partial<typeof figures> & { rewardGain: number }) =>
    judgeBestOf({ ...figures, ...over }).state;

  test("a gain of more than two standard errors is good, a loss of more than two bad, the rest weak", () => {
    expect([1.01, 1, 0, -1, -1.01].map((rewardGain) => state({ rewardGain }))).toEqual([
      "good",
      "weak",
      "weak",
      "weak",
      "bad",
    ]);
  });

  test("where the best possible choice gains less than a point there is no room", () => {
    expect(state({ rewardGain: 0.9, oracleGain: 0.99, standardError: 0.1 })).toBe("bad");
    expect(state({ rewardGain: 0.9, oracleGain: 1, standardError: 0.1 })).toBe("good");
  });

  test("the answer has the single sample, the gain by reward with its margin, and the oracle's", () => {
    expect(judgeBestOf({ ...figures, rewardGain: -3 }).answer).toBe(
      "One sample has chrF 40.0; the reward's choice of 16 gains −3.0 ± 1.0, the best possible choice +12.0 (200 validation sources).",
    );
  });
});

describe("the temperature", () => {
  const row = { temperature: 1, uniqueShare: 0.9, entropy: 1, spread: 0.1, oracle: 50, unfinishedShare: 0 };
  const judge = (own: Partial<typeof row>, hot: Partial<typeof row> = {}) =>
    judgeTemperature(1, [
      { ...row, ...own },
      { ...row, temperature: 1.3, ...hot },
    ]);

  test("fewer than 30 % different samples is bad, fewer than 50 % weak", () => {
    expect([0.29, 0.3, 0.49, 0.5].map((uniqueShare) => judge({ uniqueShare }).state)).toEqual([
      "bad",
      "weak",
      "weak",
      "good",
    ]);
  });

  test("another temperature is advised when its best candidates are more than a point better", () => {
    expect(judge({}, { oracle: 51 }).state).toBe("good");
    const advised = judge({}, { oracle: 51.01 });
    expect([advised.state, advised.advice]).toEqual([
      "weak",
      "The best candidates are better at 1.3: set grow.temperature to that.",
    ]);
  });

  test("more than 20 % of samples cut at the limit is weak", () => {
    expect([0.2, 0.21].map((unfinishedShare) => judge({ unfinishedShare }).state)).toEqual(["good", "weak"]);
  });
});

describe("the cost", () => {
  const state = (hours: number) =>
    judgeCost({ doneSeconds: 1, leftSeconds: hours * 3600, samplesPerSecond: 10, budgetHours: 10 }).state;

  test("what fits the hours at hand is good, up to twice as much weak, more is bad", () => {
    expect([10, 10.1, 20, 20.1].map(state)).toEqual(["good", "weak", "weak", "bad"]);
  });

  test("what is done already counts for the whole run and not against the hours", () => {
    const { state, answer } = judgeCost({
      doneSeconds: 36_000,
      leftSeconds: 3600,
      samplesPerSecond: 12.3,
      budgetHours: 1,
    });
    expect(state).toBe("good");
    expect(answer).toContain("at 12 samples a second");
  });
});

describe("scoring twice", () => {
  test("a difference beyond rounding is bad", () => {
    const state = (largestDifference: number) => judgeRepeat({ candidates: 9, largestDifference }).state;
    expect([0, 1e-4, 1.1e-4].map(state)).toEqual(["good", "good", "bad"]);
  });
});

describe("the whole", () => {
  const good = [judgeSpread({ spread: 0.2, noise: 0 }), judgeRepeat({ candidates: 9, largestDifference: 0 })];
  const tooDear = judgeCost({ doneSeconds: 0, leftSeconds: 1e6, samplesPerSecond: 1, budgetHours: 1 });
  const chance = judgeRepeat({ candidates: 9, largestDifference: 0.1 });
  const noisy = judgeSpread({ spread: 0.15, noise: 0.1 });

  test("nothing in the way: likely; a doubt: uncertain; a reward that cannot select: unlikely", () => {
    expect(diagnose(good)).toMatchObject({ outcome: "likely", sentence: "ReST is likely to help here." });
    expect(diagnose([...good, noisy])).toMatchObject({
      outcome: "uncertain",
      sentence: "ReST may help, but look at the reward's spread first.",
    });
    expect(diagnose([noisy, chance])).toMatchObject({
      outcome: "unlikely",
      sentence:
        "ReST is unlikely to help as things are: look at the reward's chance and the reward's spread first.",
    });
  });

  test("noise above the spread is a doubt where the reward's choice is better by another metric, and in the way elsewhere", () => {
    const noisier = judgeSpread({ spread: 0.15, noise: 0.27 });
    const chosen = (rewardGain: number) =>
      judgeBestOf({
        n: 8,
        metric: "chrF",
        sources: 200,
        single: 37,
        oracleGain: 14,
        rewardGain,
        standardError: 1,
      });
    expect(diagnose([noisier, chosen(5)]).outcome).toBe("uncertain");
    expect(diagnose([noisier, chosen(1)]).outcome).toBe("unlikely");
  });

  test("a cost or a temperature can be mended, and makes nothing unlikely", () => {
    expect(diagnose([...good, tooDear]).outcome).toBe("uncertain");
  });
});
