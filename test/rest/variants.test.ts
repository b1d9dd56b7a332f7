/** Whole runs of the toy under settings that the other tests leave at their defaults. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runAll } from "../../src/rest/run.js";
import type { RunSummary } from "../../src/store/summary.js";
import { tinyRun } from "./tiny-run.js";

const dirs: string[] = [];
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

/** A reward that a policy of a few seconds' training has some of. */
const LIKE_IN_LENGTH =
  "export default (batch) => batch.map(({ source, candidate }) => 1 / (1 + Math.abs(source.length - candidate.length)));";

interface Variant {
  improve: Record<string, unknown>;
  grow?: Record<string, unknown>;
  /** Source of the reward module. */
  module?: string;
}

async function run({ improve, grow, module }: Variant): Promise<{ summary: RunSummary; said: string[] }> {
  const dir = tinyRun({
    bc: { steps: 120, validateEvery: 60 },
    improve: { trainSteps: 2, warmupSteps: 1, evaluateEvery: 2, control: false, ...improve },
    grow: { samples: 3, ...grow },
    evaluate: { samples: 1, bestOfN: [], examples: 1 },
    reward: { kind: "module", path: "reward.mjs" },
  });
  dirs.push(dir);
  writeFileSync(join(dir, "reward.mjs"), module ?? LIKE_IN_LENGTH);
  const said: string[] = [];
  const progress = () => ({ update: () => {}, finish: () => {} });
  const summary = await runAll({ dir, reporter: { note: (sentence) => said.push(sentence), progress } });
  expect(JSON.parse(readFileSync(join(dir, "summary.json"), "utf8")).policies).toHaveLength(
    summary.policies.length,
  );
  return { summary, said };
}

test("two Grow steps by interpolation, no human pairs, the most likely tokens only", async () => {
  const { summary } = await run({
    improve: { steps: 2, thresholds: { kind: "interpolation", values: [0, 0.5] }, human: "none" },
    grow: { steps: 2, topK: 40, topP: 0.95 },
  });
  expect(summary.policies.map(({ name }) => name)).toEqual(["G0I0", "G1I1", "G1I2", "G2I1", "G2I2"]);
  expect(summary.improves.map(({ threshold }) => threshold)).toEqual([
    "reward > 0·max + 1·mean of its source",
    "reward > 0.5·max + 0.5·mean of its source",
    "reward > 0·max + 1·mean of its source",
    "reward > 0.5·max + 0.5·mean of its source",
  ]);
  // 250 sources of three samples; human pairs are no part of D_g.
  for (const { candidates, sources } of summary.improves) expect(candidates).toBe(3 * sources);
  // A threshold nearer to the best keeps no more of the same D_g.
  const kept = summary.improves.map((step) => step.kept);
  expect(kept[1]).toBeLessThanOrEqual(kept[0]!);
  // Every look of every Improve step: the start, and the end of two training steps; 20 sources, 4 samples each.
  expect(summary.policies.map(({ validationSamples }) => validationSamples)).toEqual([0, 160, 320, 480, 640]);
});

test("the best of each source, with all human pairs", async () => {
  const { summary } = await run({
    improve: { steps: 2, thresholds: { kind: "top", values: [2, 1] }, human: "all" },
  });
  const [first, second] = summary.improves;
  // One human pair and three samples a source; two samples, and then one, are kept of those that ended.
  expect(first!.candidates).toBe(4 * first!.sources);
  expect(first!.kept).toBeGreaterThan(second!.kept);
  expect(first!.kept).toBeLessThanOrEqual(3 * first!.sources);
  expect(second!.kept).toBeLessThanOrEqual(2 * second!.sources);
  expect(second!.sourcesKept).toBe(second!.sources);
});

test("training on everything first warns of no threshold", async () => {
  const { summary, said } = await run({
    improve: { trainOnAll: true, steps: 1, thresholds: { kind: "quantile", values: [0.5] } },
  });
  expect(summary.policies.map(({ name }) => name)).toEqual(["G0I0", "G1I0", "G1I1"]);
  expect(summary.improves[0]!.threshold).toBe("all candidates");
  expect(said.filter((sentence) => /^G1I0: .*threshold/i.test(sentence))).toEqual([]);
});

test("a reward that draws lots stops the run, and is told what it did", async () => {
  const failing = run({
    improve: { steps: 1, thresholds: { kind: "quantile", values: [0.5] } },
    module: "export default (batch) => batch.map(Math.random);",
  });
  await expect(failing).rejects.toThrow(
    /reward "reward" returned .* and then .*; a reward must be the same at every call/,
  );
});
