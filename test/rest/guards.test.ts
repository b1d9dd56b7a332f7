/** Rewards that are penalised, taught again or several at once, in runs that end in seconds. */

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runAll } from "../../src/rest/run.js";
import { readMetrics } from "../../src/store/metrics.js";
import { runFolder } from "../../src/store/run-folder.js";
import { tinyRun, writeConfig } from "./tiny-run.js";

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

function newRun(...given: Parameters<typeof tinyRun>): string {
  const dir = tinyRun(...given);
  dirs.push(dir);
  return dir;
}

const metricsOf = (dir: string, step: string) =>
  readMetrics(runFolder(dir).metrics).find((line) => line.step === step)!;

const oneImprove = { thresholds: { kind: "quantile", values: [0.3] }, steps: 1, control: false };

describe("penalties", () => {
  test("scoring records the raw mean, what was taken and from how many; a later penalty keeps the first policy", {
    timeout: 60_000,
  }, async () => {
    const dir = newRun({ improve: oneImprove });
    await runAll({ dir });
    const before = metricsOf(dir, "score-1");
    expect(before).not.toHaveProperty("meanPenalty");
    writeConfig(dir, {
      improve: oneImprove,
      reward: { kind: "places", penalties: { lengthRatio: 1.2, language: 0 } },
    });
    const notes: string[] = [];
    await runAll({
      dir,
      reporter: {
        note: (text) => notes.push(text),
        progress: () => ({ update: () => {}, finish: () => {} }),
      },
    });
    const after = metricsOf(dir, "score-1");
    expect(after.meanRawReward).toBeCloseTo(Number(before.meanReward), 9);
    expect(Number(after.meanRawReward) - Number(after.meanPenalty)).toBeCloseTo(Number(after.meanReward), 9);
    expect(Number(after.penalisedShare)).toBeGreaterThan(0);
    expect(notes.join("\n")).toContain("Reused as they are: prepare, G0I0.");
    expect(notes.join("\n")).toMatch(
      /Grow 1: penalties took \d+\.\d points of the mean reward, from \d+\.\d % /,
    );
  });
});

describe("a learned reward taught again", () => {
  test("scores the candidates of the second Grow; every policy is evaluated by the first", {
    timeout: 120_000,
  }, async () => {
    const dir = newRun({
      data: { train: ["pairs.tsv"], validationSize: 20, testSize: 30, maxTokens: 16 },
      reward: { kind: "learned", steps: 4, warmupSteps: 1, samplesPerSource: 2, retrain: true },
      grow: { steps: 2 },
      improve: oneImprove,
    });
    const summary = await runAll({ dir });
    expect(metricsOf(dir, "score-1").scoredBy).toBe("reward");
    expect(metricsOf(dir, "score-2").scoredBy).toBe("reward-2");
    expect(metricsOf(dir, "G2I1").scoredBy).toBe("reward-2");
    expect(metricsOf(dir, "reward-2").policy).toBe("G1I1");
    for (const policy of ["G0I0", "G1I1", "G2I1"])
      expect(metricsOf(dir, `evaluate-${policy}`).scoredBy).toBe("reward");
    expect(summary.reward.retrained?.map(({ grow }) => grow)).toEqual([2]);
    expect(existsSync(join(dir, "reward-2/reward.json"))).toBe(true);
    expect(existsSync(join(dir, "reward-2.training"))).toBe(false);
  });
});

describe("an ensemble", () => {
  test("has as many learned members as it is told, of different seeds", { timeout: 120_000 }, async () => {
    const dir = newRun({
      reward: {
        kind: "ensemble",
        parts: [{ kind: "learned", steps: 4, warmupSteps: 1, samplesPerSource: 2, members: 2 }],
        combine: "mean-minus-deviation",
      },
      grow: { steps: 0 },
    });
    await runAll({ dir });
    const { members } = metricsOf(dir, "reward") as unknown as { members: { pairs: number }[] };
    expect(members).toHaveLength(2);
    expect(members[0]).not.toEqual(members[1]);
    expect(existsSync(join(dir, "reward-member-2/reward.json"))).toBe(true);
  });

  test("of a reward with one that hardly varies stops the run with a sentence before any Grow", {
    timeout: 60_000,
  }, async () => {
    const dir = newRun({ reward: { kind: "ensemble", parts: [{ kind: "chrf" }, { kind: "places" }] } });
    writeFileSync(
      join(dir, "narrow.mjs"),
      "export default (batch) => batch.map(({ candidate }) => 0.5 + (candidate.length % 2) / 1000);\n",
    );
    writeConfig(dir, {
      reward: { kind: "ensemble", parts: [{ kind: "chrf" }, { kind: "module", path: "narrow.mjs" }] },
    });
    await expect(runAll({ dir })).rejects.toThrow(
      /^the parts of the ensemble of rewards are on different scales: "chrF2" varies by .* and "narrow" by /,
    );
    expect(existsSync(join(dir, "grow-1"))).toBe(false);
  });
});
