/** The value function: what it sees, what it learns, and that its folder gives it back. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toyPairs } from "../../src/data/toy.js";
import { newConfig } from "../../src/model/config.js";
import { NativePolicy } from "../../src/policy/native.js";
import { type ReturnExample, ValueFunction } from "../../src/policy/value.js";
import { Thread } from "../../src/tensor/thread.js";
import { createTokenizer } from "../../src/text/tokenizer.js";
import { trainVocabulary } from "../../src/text/train-vocabulary.js";

const pairs = toyPairs({ pairs: 60, seed: 3, minLength: 3, maxLength: 4 });
const START = 0.25;
const training = {
  steps: 300,
  batchTokens: 512,
  accumulate: 1,
  learningRate: 3e-3,
  warmupSteps: 10,
  schedule: "constant",
  labelSmoothing: 0,
  dropout: 0,
  weightDecay: 0,
  clipNorm: 1,
  averageDecay: 0,
  seed: 1,
  evaluateEvery: 100,
  patience: 10,
} as const;

let thread: Thread;
let folder: string;
let policy: NativePolicy;
/** Right answers pay 1; the same with the first number put last pay 0. */
let examples: ReturnExample[];

function example(source: string, target: string, reward: number): ReturnExample {
  const tokens = policy.encoder.target(target);
  return { source, tokens, returns: new Float32Array(tokens.length).fill(reward) };
}

function fresh(): Promise<ValueFunction> {
  return ValueFunction.fromPolicy(thread, policy, join(folder, "policy"), START);
}

beforeAll(async () => {
  thread = new Thread();
  folder = await mkdtemp(join(tmpdir(), "coppice-value-"));
  const tokenizer = createTokenizer(
    await trainVocabulary(
      pairs.flatMap(({ source, target }) => [source, target]),
      { size: 270 },
    ),
  );
  const config = newConfig({
    width: 32,
    inner: 64,
    heads: 2,
    encoderLayers: 1,
    decoderLayers: 1,
    vocabulary: tokenizer.vocabularySize,
    targetVocabulary: tokenizer.vocabularySize,
    shared: true,
    eosId: tokenizer.eosId,
    padId: tokenizer.padId,
    dropout: 0,
    maxPositions: 32,
  });
  policy = await NativePolicy.create(thread, config, { source: tokenizer, target: tokenizer }, 1);
  await policy.save(join(folder, "policy"));
  examples = pairs.flatMap(({ source, target }) => {
    const [first, ...others] = target.split(" ");
    return [example(source, target, 1), example(source, [...others, first].join(" "), 0)];
  });
});
afterAll(async () => {
  await thread.close();
  await rm(folder, { recursive: true, force: true });
});

test("a new one gives every state the value it is started with", async () => {
  const value = await fresh();
  const found = await value.values(examples.slice(0, 6));
  expect(found.map((values) => values.length)).toEqual(
    examples.slice(0, 6).map(({ tokens }) => tokens.length),
  );
  for (const values of found) for (const v of values) expect(v).toBe(START);
  await value.release();
});

test("it learns which sequences pay, and its folder gives back the same numbers", async () => {
  const value = await fresh();
  const { evaluations } = await value.train(examples, training);
  // Always saying one half would leave 0.25.
  expect(evaluations.at(-1)!.loss).toBeLessThan(0.2);
  const found = await value.values(examples);
  const last = (i: number) => found[i]!.at(-1)!;
  const right = pairs.filter((_, i) => last(2 * i) > last(2 * i + 1)).length;
  expect(right / pairs.length).toBeGreaterThan(0.9);

  await value.save(join(folder, "value"));
  await value.release();
  const loaded = await ValueFunction.load(thread, join(folder, "value"), policy);
  expect(await loaded.values(examples)).toEqual(found);
  await loaded.release();
});

test("V(sₜ) sees the tokens before t and none from t on", async () => {
  const value = await fresh();
  await value.train(examples, { ...training, steps: 5, evaluateEvery: 5 });
  const { source, tokens } = examples[0]!;
  for (let t = 0; t < tokens.length; t++) {
    const other = [...tokens];
    other[t] = tokens[t]! === 5 ? 6 : 5;
    const [before, after] = await value.values([
      { source, tokens },
      { source, tokens: other },
    ]);
    expect(Array.from(after!.subarray(0, t + 1))).toEqual(Array.from(before!.subarray(0, t + 1)));
    if (t + 1 < tokens.length) expect(after![t + 1]).not.toBe(before![t + 1]);
  }
  await value.release();
});
