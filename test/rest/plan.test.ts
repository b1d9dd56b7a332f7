import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import { planImprove } from "../../src/rest/plan.js";
import { runAll } from "../../src/rest/run.js";
import type { RunSummary } from "../../src/store/summary.js";
import { tinyRun } from "./tiny-run.js";

let dir: string;
let fresh: string;
let summary: RunSummary;
beforeAll(async () => {
  dir = tinyRun({ improve: { control: false } });
  fresh = tinyRun();
  summary = await runAll({ dir });
});
afterAll(() => {
  for (const one of [dir, fresh]) rmSync(one, { recursive: true });
});

test("a plan says what the Improve steps then kept, and changes nothing", async () => {
  const manifest = readFileSync(join(dir, "manifest.json"));
  const { grow, thresholds, candidates } = await planImprove(dir);
  expect(grow).toBe(1);
  expect(candidates).toBe(summary.improves[0]!.candidates);
  expect(
    thresholds.map(({ threshold, kept, sourcesKept, meanReward }) => [
      threshold,
      kept,
      sourcesKept,
      meanReward,
    ]),
  ).toEqual(
    summary.improves.map((step) => [step.threshold, step.kept, step.sourcesKept, step.meanRewardKept]),
  );
  expect(readFileSync(join(dir, "manifest.json")).equals(manifest)).toBe(true);
});

test("a threshold that keeps nothing is a row, not an error", async () => {
  // Rewards are shares of at most 16 places: none lies between these two and 1.
  const { thresholds, maxReward } = await planImprove(dir, { kind: "absolute", values: [0.2, 0.9999] });
  expect(thresholds[0]!.kept).toBeGreaterThan(0);
  if (maxReward < 1)
    expect(thresholds[1]).toMatchObject({ kept: 0, share: 0, meanReward: null, meanCharacters: null });
  else expect(thresholds[1]!.meanReward).toBe(1);
});

test("thresholds out of bounds are refused as in coppice.yaml", async () => {
  const plan = planImprove(dir, { kind: "percentile", values: [50, 150] });
  await expect(plan).rejects.toThrow(/thresholds\.values\[1\] is 150 but must be a percentile/);
});

test("without a scored Grow step it says how to come to one", async () => {
  await expect(planImprove(fresh)).rejects.toThrow(UserError);
  await expect(planImprove(fresh)).rejects.toThrow(/no Grow step is scored yet/);
});
