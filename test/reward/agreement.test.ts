import { describe, expect, it } from "vitest";
import { agreement, measureAgreement, type ScoredTwice } from "../../src/reward/agreement.js";
import { chrfReward } from "../../src/reward/metric.js";
import { deriveKey, uniform } from "../../src/tensor/random.js";

function candidates(sourceId: number, predicted: number[], target: number[]): ScoredTwice[] {
  return predicted.map((each, i) => ({ sourceId, predicted: each, target: target[i]! }));
}

describe("agreement", () => {
  it("a rising function of the target agrees wholly, overall and within each source", () => {
    const result = agreement([
      ...candidates(1, [1, 8, 27], [1, 2, 3]),
      ...candidates(2, [64, 125, 216], [4, 5, 6]),
    ]);
    expect(result).toEqual({
      overall: { kendall: expect.closeTo(1, 12), spearman: expect.closeTo(1, 12) },
      withinSource: { kendall: expect.closeTo(1, 12), spearman: expect.closeTo(1, 12), sources: 2 },
      pairwiseAccuracy: 1,
      pairs: 6,
      candidates: 6,
      sources: 2,
    });
  });

  it("knowing only which source is easy agrees overall and not within a source", () => {
    // Source 2 is easier (targets 5, 6 against 1, 2); within each source the order is upside down.
    const result = agreement([...candidates(1, [2, 1], [1, 2]), ...candidates(2, [6, 5], [5, 6])]);
    expect(result.overall.kendall).toBeCloseTo(1 / 3, 12); // 4 concordant, 2 discordant of 6
    expect(result.withinSource.kendall).toBeCloseTo(-1, 12);
    expect(result.pairwiseAccuracy).toBe(0);
  });

  it("figures by hand where both sides have ties", () => {
    // Pairs (predicted, target): (1,1) (2,1) (2,2) (3,3): concordant 4 (1-3, 1-4, 2-4, 3-4), discordant 0,
    // tied in target only 1 (1-2), tied in prediction only 1 (2-3): τ-b = 4 / √(5·5); accuracy (4 + ½) / 5.
    const result = agreement(candidates(7, [1, 2, 2, 3], [1, 1, 2, 3]));
    expect(result.overall.kendall).toBeCloseTo(4 / 5, 12);
    expect(result.pairwiseAccuracy).toBe(4.5 / 5);
    expect(result.pairs).toBe(5);
  });

  it("a source whose candidates all score alike is left out of the mean within sources", () => {
    const result = agreement([...candidates(1, [1, 2], [1, 2]), ...candidates(2, [3, 4], [5, 5])]);
    expect(result.withinSource).toEqual({
      kendall: expect.closeTo(1, 12),
      spearman: expect.closeTo(1, 12),
      sources: 1,
    });
    expect(result.pairs).toBe(1);
  });

  it("a constant reward is right half the time and has no correlation", () => {
    const result = agreement(candidates(1, [0.5, 0.5, 0.5], [1, 2, 3]));
    expect(result.pairwiseAccuracy).toBe(0.5);
    expect(result.overall.kendall).toBeNaN();
    expect(result.withinSource.kendall).toBeNaN();
  });

  it("a reward of chance has about no agreement", () => {
    const key = deriveKey(20, 3);
    const scored = Array.from({ length: 2000 }, (_, i) => ({
      sourceId: Math.floor(i / 4),
      predicted: uniform(key, 2 * i),
      target: uniform(key, 2 * i + 1),
    }));
    const result = agreement(scored);
    // Four standard errors: τ has √(4/9n) = 0.015; accuracy over 3,000 pairs, dependent within sources, 0.011.
    expect(Math.abs(result.overall.kendall)).toBeLessThan(0.06);
    expect(Math.abs(result.pairwiseAccuracy - 0.5)).toBeLessThan(0.045);
  });

  it("candidates of one text but two sources are not compared with each other", () => {
    expect(agreement([...candidates(1, [1], [2]), ...candidates(2, [2], [1])]).pairs).toBe(0);
  });

  it("nothing to compare is an error", () => {
    expect(() => agreement([])).toThrow("there are no held-out candidates");
  });

  it("two rewards are compared on the same inputs", async () => {
    const reference = "the cat sat on the mat";
    const inputs = [reference, "the cat sat", "a dog"].map((candidate) => ({
      source: "x",
      candidate,
      reference,
    }));
    const byLength = {
      name: "length",
      needsReference: false,
      score: async (batch: readonly { candidate: string }[]) =>
        batch.map(({ candidate }) => candidate.length / 100),
    };
    // chrF falls from whole to cut to unrelated, and so does the length here.
    const result = await measureAgreement(byLength, chrfReward(), inputs, [1, 1, 1]);
    expect(result.withinSource).toEqual({
      kendall: expect.closeTo(1, 12),
      spearman: expect.closeTo(1, 12),
      sources: 1,
    });
  });
});
