/** PPO and RLOO, from configuration to evaluated policy. */

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Interrupted, UserError } from "../../src/errors.js";
import { runAll, withRun } from "../../src/rest/run.js";
import { runSingle } from "../../src/rest/single.js";
import { imitate } from "../../src/rest/steps/imitate.js";
import { prepare } from "../../src/rest/steps/prepare.js";
import { readMetrics } from "../../src/store/metrics.js";
import { tinyRun, writeConfig } from "../rest/tiny-run.js";

const dirs: string[] = [];
let started = "";

const batches = { samples: 140, sourcesPerBatch: 8, samplesPerSource: 4, evaluateEvery: 2, warmupSteps: 0 };

/** A copy of one started run that goes on by `method`. */
function withMethod(method: string, over: Record<string, unknown> = {}): string {
  const dir = `${started}-${method}-${dirs.length}`;
  cpSync(started, dir, { recursive: true });
  dirs.push(dir);
  writeConfig(dir, {
    method,
    improve: null,
    grow: { maxTokens: 8, steps: undefined, samples: undefined },
    online: { ...batches, learningRate: 1e-3, ...over },
  });
  return dir;
}

const bytesOf = (dir: string, policy: string) =>
  readFileSync(join(dir, "policies", policy, "model.safetensors"));

/** The lines of the online step, the clock left out. */
function linesOf(dir: string, step: string) {
  return readMetrics(join(dir, "metrics.jsonl"))
    .filter((line) => line.step === step)
    .map(({ time: _, ...line }) => line);
}

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

test.each([
  ["ppo", "PPO"],
  ["rloo", "RLOO"],
])(
  "%s trains the policy %s, and stopped and started again ends with the same bytes",
  // Four runs.
  { timeout: 180_000 },
  async (method, name) => {
    const [whole, stopped] = [withMethod(method), withMethod(method)];
    const summary = await runAll({ dir: whole });
    expect(summary.policies.map((policy) => policy.name)).toEqual(["G0I0", name]);
    // 140 candidates are 35 sources of 4: four batches of 8 sources and one of 3.
    const policy = summary.policies.at(-1)!;
    expect([policy.samplesDrawn, policy.rewardCalls]).toEqual([140, 140]);
    const lines = linesOf(whole, name).filter(({ batch }) => batch !== undefined);
    expect(lines.map(({ samplesDrawn }) => samplesDrawn)).toEqual([0, 32, 64, 96, 128, 140]);
    const looks = lines.filter(({ validationReward }) => validationReward !== undefined);
    expect(looks.map(({ batch }) => batch)).toEqual([0, 2, 4, 5]);

    for (const moment of [40, 100]) {
      const stop = new AbortController();
      const quiet = { update: () => {}, finish: () => {} };
      const first = runAll({
        dir: stopped,
        signal: stop.signal,
        reporter: {
          note: () => {},
          progress: (label) =>
            label === name ? { ...quiet, update: (done) => done >= moment && stop.abort() } : quiet,
        },
      });
      await expect(first).rejects.toBeInstanceOf(Interrupted);
      expect(existsSync(join(stopped, "policies", `${name}.training`))).toBe(true);
    }
    await runAll({ dir: stopped });
    expect(bytesOf(stopped, name).equals(bytesOf(whole, name))).toBe(true);
    expect(linesOf(stopped, name)).toEqual(linesOf(whole, name));
    for (const dir of [whole, stopped])
      expect(readdirSync(join(dir, "policies")).sort()).toEqual(["G0I0", name]);
  },
);

test.each([
  ["policy", /^PPO\.training$/],
  ["value function", /^PPO\.value-\d+\.training$/],
])(
  "a stopped training whose state of the %s is damaged starts again with a note, and ends with the same bytes",
  { timeout: 180_000 },
  async (_, file) => {
    const [whole, stopped] = [withMethod("ppo"), withMethod("ppo")];
    await runAll({ dir: whole });
    const stop = new AbortController();
    const quiet = { update: () => {}, finish: () => {} };
    const first = runAll({
      dir: stopped,
      signal: stop.signal,
      reporter: {
        note: () => {},
        progress: (label) =>
          label === "PPO" ? { ...quiet, update: (done) => done >= 60 && stop.abort() } : quiet,
      },
    });
    await expect(first).rejects.toBeInstanceOf(Interrupted);
    const [state = ""] = readdirSync(join(stopped, "policies")).filter((one) => file.test(one));
    truncateSync(join(stopped, "policies", state), 1000);
    const notes: string[] = [];
    await runAll({ dir: stopped, reporter: { note: (text) => notes.push(text), progress: () => quiet } });
    expect(notes).toContain(
      `${join(stopped, "policies", "PPO.training")}: this training state is damaged, so its training starts again from the beginning.`,
    );
    expect(bytesOf(stopped, "PPO").equals(bytesOf(whole, "PPO"))).toBe(true);
    expect(linesOf(stopped, "PPO")).toEqual(linesOf(whole, "PPO"));
  },
);

test("without a number of its own, as many candidates are drawn as ReST would draw", async () => {
  const dir = withMethod("rloo", { samples: null, sourcesPerBatch: 64 });
  const summary = await runAll({ dir });
  // One Grow step of 16 candidates for each of the sources to train on.
  expect(summary.policies.at(-1)!.samplesDrawn).toBe(16 * summary.data.train);
});

test("single-step commands say that there is one step, and which command does it", async () => {
  const dir = withMethod("ppo");
  const grow = runSingle("grow", { dir });
  await expect(grow).rejects.toBeInstanceOf(UserError);
  await expect(grow).rejects.toThrow(/method ppo trains in one step.*coppice run/);
});
