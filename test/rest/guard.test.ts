/** A toy whose reward pays for something that its references do not have, with and without a guard. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TrainResult } from "../../src/policy/policy.js";
import { trainLoop } from "../../src/policy/train-loop.js";
import { runAll } from "../../src/rest/run.js";
import { partingWarning, refuses } from "../../src/rest/steps/validate.js";
import type { RunSummary } from "../../src/store/summary.js";
import { tinyRun } from "./tiny-run.js";

const look = (reward: number, chrf: number, bleu: number) => ({ reward, chrf, bleu });

describe("a look", () => {
  test("is refused when the guarded metric lies more than the tolerance below the first policy's", () => {
    const guard = { guard: "chrf", guardTolerance: 1 } as const;
    expect(refuses(guard, look(0, 50, 20), look(1, 48.9, 30))).toBe(true);
    expect(refuses(guard, look(0, 50, 20), look(1, 49, 0))).toBe(false);
    expect(refuses({ ...guard, guard: "none" }, look(0, 50, 20), look(1, 0, 0))).toBe(false);
  });

  test("warns when the reward rises while every metric of another family falls, and only then", () => {
    expect(partingWarning(["bleu"], 1, look(0.5, 50, 20), look(0.6, 60, 18.5))).toBe(
      "Warning: on validation the reward rose (50.0 → 60.0) while BLEU fell (20.0 → 18.5): the policy may be gaming the reward. A guard stops that: improve.guard.",
    );
    expect(partingWarning(["chrf", "bleu"], 1, look(0.5, 50, 20), look(0.6, 60, 18.5))).toBeUndefined();
    expect(partingWarning(["bleu"], 2, look(0.5, 50, 20), look(0.6, 60, 18.5))).toBeUndefined();
    expect(partingWarning(["bleu"], 1, look(0.6, 50, 20), look(0.5, 60, 18.5))).toBeUndefined();
  });
});

describe("a training whose evaluations may be refused", () => {
  /** The calls of a training of 5 steps an evaluation, as `found` judges them in turn, the start first. */
  async function train(found: { score: number; refused: boolean }[]): Promise<[string[], TrainResult]> {
    const calls: string[] = [];
    let step = 0;
    const remote = {
      call: async (method: string) => {
        calls.push(method);
        if (method === "trainSteps") step += 5;
        return { step, loss: 1, tokens: step, stopped: false };
      },
      release: async () => {},
    };
    const evaluate = async (at: number) => ({ ...found[at / 5]!, figures: { at } });
    const options = { steps: 20, evaluateEvery: 5, patience: 9, evaluate, evaluateStart: true };
    return [calls, await trainLoop(remote, options)];
  }
  const start = { score: 0.3, refused: false };

  test("ends at the first refused one, with the best before it", async () => {
    const [calls, result] = await train([
      start,
      { score: 0.4, refused: false },
      { score: 0.9, refused: true },
    ]);
    expect(result).toMatchObject({ steps: 10, bestStep: 5, bestScore: 0.4 });
    expect(result.evaluations.map(({ refused, figures }) => [refused, figures])).toEqual([
      [false, { at: 0 }],
      [false, { at: 5 }],
      [true, { at: 10 }],
    ]);
    expect(calls).toEqual(["keepBest", "trainSteps", "keepBest", "trainSteps", "endTraining"]);
  });

  test("leaves what it started from when the first one is refused", async () => {
    const [calls, result] = await train([start, { score: 0.9, refused: true }]);
    expect(result).toMatchObject({ steps: 5, bestStep: 0, bestScore: 0.3 });
    expect(calls).toEqual(["keepBest", "trainSteps", "endTraining"]);
  });
});

describe("a run that is paid for the digit 7", () => {
  const notes: Record<string, string[]> = { none: [], chrf: [] };
  const dirs: Record<string, string> = {};
  const summaries: Record<string, RunSummary> = {};
  beforeAll(async () => {
    for (const guard of ["none", "chrf"]) {
      const config = {
        data: { validationSize: 100 },
        bc: { steps: 250, batchTokens: 512, learningRate: 5e-3, warmupSteps: 10, validateEvery: 50 },
        reward: { kind: "module", path: "sevens.mjs" },
        grow: { samples: 8, temperature: 1 },
        improve: {
          ...{ steps: 1, thresholds: { kind: "absolute", values: [0.15] }, human: "none", control: false },
          ...{ trainSteps: 60, learningRate: 5e-3, evaluateEvery: 20, guard, guardTolerance: 2 },
        },
        evaluate: { outOfDomain: "other.tsv" },
      };
      const dir = tinyRun(config, 600);
      dirs[guard] = dir;
      writeFileSync(
        join(dir, "sevens.mjs"),
        `export default (batch) => batch.map(({ candidate }) => {
           const words = candidate.split(" ");
           return words.filter((word) => word === "7").length / words.length;
         });`,
      );
      writeFileSync(join(dir, "other.tsv"), "a b\tb a\nc d\td c\n");
      const reporter = {
        note: (text: string) => notes[guard]!.push(text),
        progress: () => ({ update: () => {}, finish: () => {} }),
      };
      summaries[guard] = await runAll({ dir, reporter });
    }
  });
  afterAll(() => {
    for (const dir of Object.values(dirs)) rmSync(dir, { recursive: true });
  });
  const step = (guard: string) =>
    readFileSync(join(dirs[guard]!, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .find((row) => row.step === "G1I1");

  test("without a guard the reward rises, chrF falls, and the run says so in words", () => {
    const { validationBefore: before, validation: after } = step("none");
    expect(after.reward).toBeGreaterThan(before.reward);
    expect(after.chrf).toBeLessThan(before.chrf - 2);
    expect(notes.none!.join("\n")).toMatch(
      /G1I1: Warning: on validation the reward rose .* while chrF fell .* and BLEU fell/,
    );
    expect(notes.none!.join("\n")).toMatch(/G1I1: Warning: Possible gaming of the reward/);
  });

  test("with one, training ends where chrF has fallen, and nothing that fell is kept", () => {
    const { validationBefore: before, validation: after, evaluations, guardedAt } = step("chrf");
    expect(evaluations.at(-1).refused).toBe(true);
    expect(evaluations.at(-1).step).toBe(guardedAt);
    expect(evaluations.at(-1).figures.chrf).toBeLessThan(before.chrf - 2);
    expect(after.chrf).toBeGreaterThanOrEqual(before.chrf - 2);
    expect(notes.chrf!.join("\n")).toContain(
      `the guard stopped it at step ${guardedAt}: chrF on validation was`,
    );
    expect(summaries.chrf!.improves[0]!.guardedAt).toBe(guardedAt);
  });

  test("where nothing is kept, the policy is the one that the step started from", () => {
    const weights = (guard: string, name: string) =>
      readFileSync(join(dirs[guard]!, "policies", name, "model.safetensors"));
    expect(step("chrf").bestStep).toBe(0);
    expect(weights("chrf", "G1I1").equals(weights("chrf", "G0I0"))).toBe(true);
    expect(weights("none", "G1I1").equals(weights("none", "G0I0"))).toBe(false);
  });

  test("the distance is 0 for the same weights, and the loss on another domain is in the summary", () => {
    const of = (guard: string, at: number) => summaries[guard]!.policies[at]!;
    expect(Math.abs(of("chrf", 1).klFromBc ?? Number.NaN)).toBeLessThan(1e-4);
    expect(of("none", 1).klFromBc).toBeGreaterThan(0.1);
    expect(of("none", 1).lossOnTrain).toBeGreaterThan(of("none", 0).lossOnTrain ?? Number.NaN);
    expect(of("none", 0).lossOutOfDomain).toBeGreaterThan(0);
    expect(summaries.none!.heldOut.metric).toBe("chrf");
  });
});
