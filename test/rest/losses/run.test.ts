/** Runs with each loss, from configuration to policies. */

import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Interrupted, UserError } from "../../../src/errors.js";
import { lossNames } from "../../../src/rest/losses/names.js";
import { runAll, withRun } from "../../../src/rest/run.js";
import { imitate } from "../../../src/rest/steps/imitate.js";
import { prepare } from "../../../src/rest/steps/prepare.js";
import { tinyRun, writeConfig } from "../tiny-run.js";

const dirs: string[] = [];
let started = "";

/** A copy of one started run, with loss `loss`. */
function withLoss(loss: string, over: Record<string, unknown> = {}): string {
  const dir = `${started}-${loss}-${dirs.length}`;
  cpSync(started, dir, { recursive: true });
  dirs.push(dir);
  writeConfig(dir, {
    improve: {
      loss,
      control: false,
      ...(loss === "bvmpo" || loss === "oac" ? { value: { steps: 20, leastKendall: -1 } } : {}),
      ...over,
    },
  });
  return dir;
}

const weightsOf = (dir: string, policy: string) =>
  readFileSync(join(dir, "policies", policy, "model.safetensors"));

beforeAll(async () => {
  started = tinyRun();
  dirs.push(started);
  await withRun({ dir: started }, async (run) => {
    await prepare(run);
    await imitate(run);
  });
});
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

test("every loss trains, and no two of them end in the same policy", async () => {
  const found = new Map<string, string>();
  for (const loss of lossNames) {
    const dir = withLoss(loss);
    const summary = await runAll({ dir });
    expect(summary.policies.map(({ name }) => name)).toEqual(["G0I0", "G1I1", "G1I2"]);
    found.set(loss, weightsOf(dir, "G1I2").toString("base64"));
  }
  expect(new Set(found.values()).size).toBe(lossNames.length);
});

test("stopped in an Improve step and started again, V-MPO ends with the same bytes", async () => {
  const over = { trainSteps: 12, evaluateEvery: 4, bvmpo: { syncEvery: 3 } };
  const [whole, stopped] = [withLoss("bvmpo", over), withLoss("bvmpo", over)];
  await runAll({ dir: whole });
  const stop = new AbortController();
  const quiet = { update: () => {}, finish: () => {} };
  const first = runAll({
    dir: stopped,
    signal: stop.signal,
    reporter: {
      note: () => {},
      progress: (label) =>
        // Between two looks: a kept state must bring back the stale copy and the dual variables.
        label === "G1I1" ? { ...quiet, update: (done) => done >= 5 && stop.abort() } : quiet,
    },
  });
  await expect(first).rejects.toBeInstanceOf(Interrupted);
  await runAll({ dir: stopped });
  for (const policy of ["G1I1", "G1I2"])
    expect(weightsOf(stopped, policy).equals(weightsOf(whole, policy))).toBe(true);
});

test("a loss that needs the value function refuses one that does not rank as the reward does", async () => {
  const dir = withLoss("oac", { value: { steps: 1, learningRate: 1e-9, leastKendall: 0.99 } });
  const run = runAll({ dir });
  await expect(run).rejects.toBeInstanceOf(UserError);
  await expect(run).rejects.toThrow(/loss oac needs a value function .* 0\.99 or more.*choose loss bc/);
});
