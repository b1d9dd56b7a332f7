/** When a training stops and which weights it leaves, told by scores that are given. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Interrupted } from "../../src/errors.js";
import type { NativePolicy } from "../../src/policy/native.js";
import type { TrainOptions } from "../../src/policy/policy.js";
import { Thread } from "../../src/tensor/thread.js";
import * as toy from "./toy-policy.js";

const examples = toy.pairs.map(({ source, target }) => ({ source, target, weight: 1 }));

let folder: string;
let thread: Thread;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "coppice-loop-"));
  thread = new Thread();
});
afterAll(async () => {
  await thread.close();
  rmSync(folder, { recursive: true });
});

/** The weights of `policy`, as its file holds them. */
async function weights(policy: NativePolicy): Promise<Buffer> {
  const path = join(folder, "policy");
  await policy.save(path);
  return readFileSync(join(path, "model.safetensors"));
}

/** Trains the same new policy with these scores, one an evaluation; the weights at each evaluation, and at the end. */
async function trained(scores: readonly number[], over: Partial<TrainOptions> = {}) {
  const policy = await toy.policy(thread);
  const seen: { step: number; bytes: Buffer }[] = [];
  const result = await policy.train(examples, {
    steps: 20,
    batchTokens: 128,
    accumulate: 1,
    learningRate: 1e-2,
    warmupSteps: 1,
    schedule: "constant",
    labelSmoothing: 0,
    dropout: 0,
    weightDecay: 0,
    clipNorm: 1,
    averageDecay: 0.9,
    seed: 3,
    evaluateEvery: 2,
    patience: 3,
    evaluate: async (step) => {
      seen.push({ step, bytes: await weights(policy) });
      return scores[seen.length - 1]!;
    },
    ...over,
  });
  const kept = await weights(policy);
  await policy.release();
  /** Steps whose weights are those that were kept. */
  const same = seen.filter(({ bytes }) => bytes.equals(kept)).map(({ step }) => step);
  return { result, same, evaluated: seen.map(({ step }) => step) };
}

test("scores 1, 5, 2, 1, 0 and patience 3 stop at the fifth look and keep the weights of the second", async () => {
  const { result, same, evaluated } = await trained([1, 5, 2, 1, 0]);
  expect(evaluated).toEqual([2, 4, 6, 8, 10]);
  expect(same).toEqual([4]);
  expect(result).toMatchObject({ steps: 10, bestStep: 4, bestScore: 5 });
  expect(result.evaluations.map(({ step, score }) => [step, score])).toEqual([
    [2, 1],
    [4, 5],
    [6, 2],
    [8, 1],
    [10, 0],
  ]);
});

test("an equal score is no better one", async () => {
  const { result, same } = await trained([4, 4, 4, 4]);
  expect([result.steps, result.bestStep, same]).toEqual([8, 2, [2]]);
});

test("a last step that is no multiple of the interval is looked at too", async () => {
  const { result, same, evaluated } = await trained([1, 2, 3], { steps: 5 });
  expect([evaluated, result.bestStep, same]).toEqual([[2, 4, 5], 5, [5]]);
});

test("three batches a step are the batches of three steps", async () => {
  const six = await trained([1, 2, 3], { steps: 6 });
  const two = await trained([1], { steps: 2, accumulate: 3 });
  expect([two.result.steps, two.result.tokens]).toEqual([2, six.result.tokens]);
});

test("a start that nothing beats is kept, and counts as the first look", async () => {
  const { result, same, evaluated } = await trained([5, 1, 4, 3], { evaluateStart: true });
  expect(evaluated).toEqual([0, 2, 4, 6]);
  expect(same).toEqual([0]);
  expect(result).toMatchObject({ steps: 6, bestStep: 0, bestScore: 5 });
});

test("a start that is beaten changes nothing of what is trained", async () => {
  const without = await trained([1, 5, 2, 1, 0]);
  const { result, same, evaluated } = await trained([0, 1, 5, 2, 1, 0], { evaluateStart: true });
  expect([evaluated, same]).toEqual([[0, 2, 4, 6, 8, 10], [4]]);
  expect(result.evaluations.slice(1)).toEqual(without.result.evaluations);
});

test("a training whose kept state is damaged starts again with a note, and ends as one that was never stopped", async () => {
  const whole = await trained([1, 5, 2, 1, 0]);
  const stateFile = join(folder, "state");
  const stop = new AbortController();
  const stopped = trained([1, 5, 2], {
    stateFile,
    signal: stop.signal,
    onProgress: ({ step }) => {
      if (step === 6) stop.abort();
    },
  });
  await expect(stopped).rejects.toThrow(Interrupted);
  const state = readFileSync(stateFile);
  for (const length of [100, state.length - 1]) {
    writeFileSync(stateFile, state.subarray(0, length));
    const notes: string[] = [];
    const again = await trained([1, 5, 2, 1, 0], { stateFile, onNote: (sentence) => notes.push(sentence) });
    expect(notes).toEqual([
      `${stateFile}: this training state is damaged, so its training starts again from the beginning.`,
    ]);
    expect(again).toEqual(whole);
  }
});
