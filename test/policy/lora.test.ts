/** Training an adapter: the base stays as it is, and what is kept, killed and gone on with is A and B alone. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { Interrupted } from "../../src/errors.js";
import { loadModelFolder } from "../../src/model/folder.js";
import { adaptedLayers, loraSpecs } from "../../src/model/lora.js";
import { NativePolicy } from "../../src/policy/native.js";
import type { TrainOptions } from "../../src/policy/policy.js";
import { Thread } from "../../src/tensor/thread.js";
import { readState } from "../../src/tensor/training-state.js";
import * as toy from "./toy-policy.js";

const home = mkdtempSync(join(tmpdir(), "coppice-lora-"));
const base = join(home, "G0I0");
let thread: Thread;
beforeAll(async () => {
  thread = new Thread();
  const policy = await toy.policy(thread);
  await policy.save(base);
  await policy.release();
});
afterAll(async () => {
  await thread.close();
  rmSync(home, { recursive: true });
});

const lora = { rank: 3, alpha: 6, targets: ["q_proj", "v_proj", "fc1"], dropout: 0 } as const;
const options: TrainOptions = {
  steps: 6,
  batchTokens: 256,
  accumulate: 1,
  learningRate: 0.02,
  warmupSteps: 0,
  schedule: "constant",
  labelSmoothing: 0.1,
  dropout: 0.1,
  weightDecay: 1e-4,
  clipNorm: 1,
  averageDecay: 0.9,
  seed: 3,
  evaluateEvery: 2,
  patience: Number.POSITIVE_INFINITY,
  lora,
};
const examples = toy.pairs.map(({ source, target }) => ({ source, target, weight: 1 }));
const sources = toy.pairs.slice(0, 8).map(({ source }, sourceId) => ({ sourceId, text: source }));

/** Trains from a policy's folder and writes what comes out. */
async function train(name: string, over: Partial<TrainOptions> = {}, from = base): Promise<string> {
  const policy = await NativePolicy.load(thread, from);
  try {
    await policy.train(examples, { ...options, ...over });
    await policy.save(join(home, name));
  } finally {
    await policy.release();
  }
  return join(home, name);
}

const bytesOf = (folder: string) => readFileSync(join(folder, "adapter_model.safetensors"));
const scored = (policy: NativePolicy) => policy.logProbabilities(toy.pairs.slice(0, 8));
const samples = async (policy: NativePolicy) => {
  const found = [];
  for await (const batch of policy.sample(sources, { n: 2, temperature: 1, maxTokens: 8, seed: 1, grow: 1 }))
    found.push(...batch);
  return found.sort((a, b) => a.sourceId - b.sourceId || a.sampleId - b.sampleId);
};

describe("a policy that was trained by an adapter", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await train("trained");
  });

  it("is A, B and the name of its base, no more", async () => {
    expect(await readdir(folder)).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    const config = JSON.parse(readFileSync(join(folder, "adapter_config.json"), "utf8"));
    expect(config).toMatchObject({ base_model_name_or_path: "../G0I0", r: 3, lora_alpha: 6 });
  });

  it("has every adapted matrix moved and every other weight as it was", async () => {
    const [before, after] = [await loadModelFolder(base), await loadModelFolder(folder)];
    const adapted = new Set(adaptedLayers(before.config, lora).map(({ name }) => `${name}.weight`));
    for (const { name } of before.parameters.specs) {
      const [old, now] = [before.parameters.view(name), after.parameters.view(name)];
      const same = Buffer.compare(Buffer.from(old.slice().buffer), Buffer.from(now.slice().buffer)) === 0;
      expect(same, name).toBe(!adapted.has(name));
    }
    expect(after.adapter!.weights.specs).toHaveLength(2 * adapted.size);
  });

  it("is the same to the bit when it is trained again, and another with dropout before A", async () => {
    expect(bytesOf(await train("again")).equals(bytesOf(folder))).toBe(true);
    const dropped = await train("dropped", { lora: { ...lora, dropout: 0.3 } });
    expect(bytesOf(dropped).equals(bytesOf(folder))).toBe(false);
    const twice = await train("dropped-again", { lora: { ...lora, dropout: 0.3 } });
    expect(bytesOf(twice).equals(bytesOf(dropped))).toBe(true);
  });

  it("is read as it was in memory: the same samples, the same log-probabilities", async () => {
    const policy = await NativePolicy.load(thread, base);
    await policy.train(examples, options);
    const read = await NativePolicy.load(thread, folder);
    expect(await samples(read)).toEqual(await samples(policy));
    expect(await scored(read)).toEqual(await scored(policy));
    await Promise.all([policy.release(), read.release()]);
  });

  it("trains its own A and B further, on the same base, and begins where it ended", async () => {
    const before = await loadModelFolder(folder);
    const further = await train("further", { seed: 4 }, folder);
    const config = JSON.parse(readFileSync(join(further, "adapter_config.json"), "utf8"));
    expect(config.base_model_name_or_path).toBe("../G0I0");
    expect(bytesOf(further).equals(bytesOf(folder))).toBe(false);
    const policy = await NativePolicy.load(thread, folder);
    // Looked at before the first step and nothing better after: the start is kept.
    await policy.train(examples, { ...options, evaluateStart: true, evaluate: async (step) => -step });
    await policy.save(join(home, "kept"));
    await policy.release();
    expect(bytesOf(join(home, "kept")).equals(bytesOf(folder))).toBe(true);
    expect((await loadModelFolder(join(home, "kept"))).parameters.data).toEqual(before.parameters.data);
  });
});

test("the start is the base, bit for bit", async () => {
  const policy = await NativePolicy.load(thread, base);
  const before = await samples(policy);
  await policy.train(examples, {
    ...options,
    evaluateStart: true,
    evaluate: async (step) => {
      if (step === 0) expect(await samples(policy)).toEqual(before);
      return step;
    },
  });
  expect(await samples(policy)).not.toEqual(before);
  await policy.release();
});

test("a training that was stopped goes on to the same bytes from a state of A and B alone", async () => {
  const whole = await train("whole-way", { evaluate: async (step) => step });
  const stateFile = join(home, "training");
  const stopping = new AbortController();
  const stopped = train("stopped", {
    stateFile,
    signal: stopping.signal,
    evaluate: async (step) => {
      if (step === 4) stopping.abort();
      return step;
    },
  });
  await expect(stopped).rejects.toThrow(Interrupted);
  const state = await readState(stateFile);
  const { config } = await loadModelFolder(base);
  const size = loraSpecs(config, lora).reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);
  const lengths = Object.fromEntries(
    Object.entries(state!.buffers).map(([name, { length }]) => [name, length] as const),
  );
  expect(lengths).toEqual({ weights: size, m: size, v: size, average: size, best: size });
  const gone = await train("gone-on", { stateFile, evaluate: async (step) => step });
  expect(bytesOf(gone).equals(bytesOf(whole))).toBe(true);
});

test("a loss that keeps an old copy and reads the policy that sampled sees both as they are", async () => {
  const policy = await NativePolicy.load(thread, await train("sampled-from"));
  // The loss itself compares them with the policy at every pass; see watching-loss.ts.
  const loss = { module: new URL("watching-loss.ts", import.meta.url).href, name: "watching", options: {} };
  await policy.train(examples, { ...options, batchTokens: 4096, dropout: 0, loss, behavior: base });
  await policy.release();
});
