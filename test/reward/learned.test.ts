import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toyPairs } from "../../src/data/toy.js";
import { Interrupted, UserError } from "../../src/errors.js";
import { newConfig } from "../../src/model/config.js";
import { initialise } from "../../src/model/initialise.js";
import { parameterSpecs } from "../../src/model/marian.js";
import { readSafetensors } from "../../src/model/safetensors.js";
import { NativePolicy } from "../../src/policy/native.js";
import { BatchFeeder } from "../../src/policy/network.js";
import { headSpecs, pairWeights, rewardGraph, rewardTask, scoresOf } from "../../src/reward/learned/graph.js";
import { LearnedReward } from "../../src/reward/learned/learned.js";
import {
  type LearnedRewardOptions,
  type LearnedRewardRequest,
  trainLearnedReward,
} from "../../src/reward/learned/train.js";
import { Parameters } from "../../src/tensor/parameters.js";
import { floatData, Program } from "../../src/tensor/program.js";
import { deriveKey, normal } from "../../src/tensor/random.js";
import { Thread } from "../../src/tensor/thread.js";
import { createTokenizer } from "../../src/text/tokenizer.js";
import { trainVocabulary } from "../../src/text/train-vocabulary.js";

const sizes = { width: 32, inner: 64, heads: 2, encoderLayers: 1, decoderLayers: 1 };

describe("the loss", () => {
  test("a pair weighs as one candidate's lead, and a group's pairs as many as its candidates", () => {
    // By hand: leads 0.5, 1 and 0.5 sum to 2; times 3 candidates over 2.
    expect(pairWeights([1, 0.5, 0])).toEqual([
      [0, 0.75, 1.5],
      [0, 0, 0.75],
      [0, 0, 0],
    ]);
  });

  test("candidates that are all as good have no pairs", () => {
    expect(pairWeights([0.3, 0.3])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test("it is cross-entropy with the quality and the logistic loss of a group's pairs, empty places left out", async () => {
    const { config, parameters } = untrained();
    const feeder = new BatchFeeder(config);
    const groups = [
      { source: [5, 6, 0], targets: [target(0.9, 7, 8, 0), target(0.2, 9, 0), target(0.4, 0)] },
      { source: [7, 0], targets: [target(0.5, 5, 5, 6, 6, 0)] },
    ];
    const { graph, loss, scores } = rewardGraph(config, { dropout: false });
    const program = await Program.compile(graph, { loss, scores });
    const { feeds, symbols } = rewardTask(feeder).batch(groups, 0.25);
    const outputs = await program.run({ ...parameters.feeds(), ...feeds }, symbols);
    await program.release();

    const z = scoresOf(groups, floatData(outputs.scores));
    const softplus = (x: number) => Math.log(1 + Math.exp(x));
    const pointwise = [0.9, 0.2, 0.4, 0.5].reduce((sum, q, i) => sum + softplus(z[i]!) - q * z[i]!, 0);
    // Leads 0.7 (0 over 1), 0.5 (0 over 2) and 0.2 (2 over 1) sum to 1.4, and weigh 3 together.
    const leads: [number, number, number][] = [
      [0, 1, 0.7],
      [0, 2, 0.5],
      [2, 1, 0.2],
    ];
    const pairwise = leads.reduce((sum, [i, j, lead]) => sum + (3 / 1.4) * lead * softplus(z[j]! - z[i]!), 0);
    expect(floatData(outputs.loss)[0]).toBeCloseTo(0.25 * (pointwise + pairwise), 5);
  });
});

describe("a reward trained on the toy", () => {
  const thread = new Thread();
  const pairs = toyPairs({ pairs: 800, seed: 3, minLength: 3, maxLength: 4 });
  const tokenizer = createTokenizer(
    trainVocabulary(
      pairs.map(({ source }) => source),
      { size: 280 },
    ),
  );
  const options: LearnedRewardOptions = {
    target: { chrf: 1, bleu: 1 },
    damaged: 0.25,
    dropout: 0.1,
    samplesPerSource: 4,
    temperatures: [0.7, 1.2],
    maxTokens: 12,
    heldOut: 0.2,
    steps: 160,
    batchTokens: 512,
    learningRate: 2e-3,
    warmupSteps: 10,
    evaluateEvery: 40,
    patience: 0,
  };
  let folder: string;
  let policy: NativePolicy;
  let trained: Awaited<ReturnType<typeof trainLearnedReward>>;
  /** The same, not taught: what it starts from. */
  let fresh: LearnedReward;
  const inputs = pairs.slice(0, 40).flatMap(({ source, target }, i) =>
    [target, source, target.slice(2), "", `${target} 7`, target.repeat(1 + (i % 3))].map((candidate) => ({
      source,
      candidate,
    })),
  );

  function request(name: string, rest: Partial<LearnedRewardRequest> = {}): LearnedRewardRequest {
    return {
      policy,
      policyFolder: join(folder, "policy"),
      pairs,
      folder: join(folder, name),
      stateFolder: join(folder, `${name}-state`),
      options,
      seed: 5,
      ...rest,
    };
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coppice-learned-"));
    const config = newConfig({
      ...sizes,
      vocabulary: tokenizer.vocabularySize,
      targetVocabulary: tokenizer.vocabularySize,
      shared: true,
      eosId: tokenizer.eosId,
      padId: tokenizer.padId,
      dropout: 0.1,
      maxPositions: 32,
    });
    const codec = { source: tokenizer, target: tokenizer };
    policy = await NativePolicy.create(thread, config, codec, 1);
    // Hardly trained: its confidence says nothing, so that whatever the reward knows it has learned.
    await policy.train(
      toyPairs({ pairs: 2000, seed: 4, minLength: 3, maxLength: 4 }).map((pair) => ({ ...pair, weight: 1 })),
      {
        steps: 20,
        batchTokens: 512,
        accumulate: 1,
        learningRate: 4e-3,
        warmupSteps: 30,
        schedule: "constant",
        labelSmoothing: 0,
        dropout: 0,
        weightDecay: 0,
        clipNorm: 1,
        averageDecay: 0,
        seed: 1,
        evaluateEvery: 20,
        patience: 1,
      },
    );
    await policy.save(join(folder, "policy"));
    trained = await trainLearnedReward(thread, request("reward"));
    const untaught = { ...options, steps: 1, learningRate: 1e-12 };
    fresh = (await trainLearnedReward(thread, request("fresh", { options: untaught }))).reward;
  });

  afterAll(async () => {
    await thread.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("it orders candidates of unseen sources as the metric does, which its start could not", () => {
    const { samples, damage } = trained.report.agreement;
    const start = fresh.facts.agreement;
    expect(start.samples.pairwiseAccuracy).toBeLessThan(0.6);
    expect(samples.pairwiseAccuracy).toBeGreaterThan(0.7);
    expect(samples.overall.kendall).toBeGreaterThan(0.3);
    expect(damage.pairwiseAccuracy).toBeGreaterThan(start.damage.pairwiseAccuracy);
    expect(trained.report.training.bestStep).toBeGreaterThan(0);
    expect(trained.agreement).toEqual(samples);
  });

  test("its mean over the policy's held-out samples lies well inside (0, 1)", async () => {
    // By the calibration's law the mean is one half; the test part has few samples.
    const sources = pairs.map(({ source }, i) => ({ sourceId: i, text: source }));
    const batch: { source: string; candidate: string }[] = [];
    for await (const some of policy.sample(sources, {
      n: 2,
      temperature: 0.9,
      maxTokens: 12,
      seed: 9,
      grow: 1,
    }))
      for (const { sourceId, text } of some) batch.push({ source: pairs[sourceId]!.source, candidate: text });
    const scores = await trained.reward.score(batch);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    expect(mean).toBeGreaterThan(0.35);
    expect(mean).toBeLessThan(0.65);
    expect(Math.min(...scores)).toBeGreaterThan(0);
    expect(Math.max(...scores)).toBeLessThan(1);
  });

  test("a pair scores the same bits alone, in any batch and in any order", async () => {
    const together = await trained.reward.score(inputs);
    const backwards = await trained.reward.score([...inputs].reverse());
    expect(backwards.reverse()).toEqual(together);
    for (const [i, input] of inputs.entries())
      if (i % 7 === 0) expect(await trained.reward.score([input])).toEqual([together[i]]);
  });

  test("a candidate asked for twice scores the same twice, and nothing asked for is nothing", async () => {
    const [first, second] = await trained.reward.score([inputs[0]!, inputs[0]!]);
    expect(second).toBe(first);
    expect(await trained.reward.score([])).toEqual([]);
  });

  test("texts longer than the model's positions, and other scripts, are scored", async () => {
    const long = "1 2 3 ".repeat(500);
    const scores = await trained.reward.score([
      { source: long, candidate: long },
      { source: "你好", candidate: "\u{1f600} </s>" },
    ]);
    for (const score of scores) expect(score > 0 && score < 1).toBe(true);
  });

  test("loaded from its folder it scores the same bits", async () => {
    const again = await LearnedReward.load(thread, join(folder, "reward"));
    expect(await again.score(inputs)).toEqual(await trained.reward.score(inputs));
    await again.close();
  });

  test("before training it ranks as the policy's mean log-probability does", async () => {
    const scores = await fresh.score(inputs);
    const logProbs = await policy.logProbabilities(
      inputs.map(({ source, candidate }) => ({ source, target: candidate })),
    );
    const means = logProbs.map(({ logProbs: each }) => each.reduce((sum, x) => sum + x, 0) / each.length);
    const order = [...means.keys()].sort((a, b) => means[a]! - means[b]!);
    for (let i = 1; i < order.length; i++) {
      const [low, high] = [order[i - 1]!, order[i]!];
      // Two programs round differently: near ties may stand either way.
      if (means[high]! - means[low]! > 1e-4) expect(scores[high]!).toBeGreaterThan(scores[low]!);
    }
  });

  test("stopped at any moment and started again, it ends with the same bytes", async () => {
    const wanted = await bytesOf(join(folder, "reward"));
    expect([...wanted.keys()].sort()).toEqual([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "reward.json",
      "reward_head.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    let stops = 0;
    for (const moment of [1, 4, 6, Number.POSITIVE_INFINITY]) {
      const stop = new AbortController();
      let events = 0;
      const run = trainLearnedReward(
        thread,
        request("stopped", {
          signal: stop.signal,
          onProgress: () => {
            events++;
            if (events === moment) stop.abort();
          },
        }),
      );
      await run.then(
        ({ reward }) => reward.close(),
        (error: unknown) => {
          expect(error).toBeInstanceOf(Interrupted);
          stops++;
        },
      );
    }
    expect(stops).toBe(3);
    expect(await bytesOf(join(folder, "stopped"))).toEqual(wanted);
  });

  test("every weight has moved from where the policy's stand, and those of the policy have not", async () => {
    const [before, after] = await Promise.all(
      ["policy", "reward"].map((name) => readSafetensors(join(folder, name, "model.safetensors"))),
    );
    const still = [...before!.tensors.keys()].filter((name) =>
      isDeepStrictEqual(before!.tensors.get(name), after!.tensors.get(name)),
    );
    expect(still).toEqual([]);
    await policy.save(join(folder, "policy-after"));
    expect(await bytesOf(join(folder, "policy-after"))).toEqual(await bytesOf(join(folder, "policy")));
  });

  test("too few pairs to hold some out are refused", async () => {
    const few = trainLearnedReward(thread, request("few", { pairs: pairs.slice(0, 2) }));
    await expect(few).rejects.toThrow(UserError);
  });

  test.each([
    ["no reward.json", "reward.json", undefined, /reward\.json: this cannot be read/],
    ["a reward.json that is not JSON", "reward.json", "{", /reward\.json: this is not JSON/],
    ["another version", "reward.json", '{"format": 2}', /reward\.json: format: .*train the reward again/],
    ["a head that is cut short", "reward_head.safetensors", "12345678", /reward_head\.safetensors: /],
    ["no head", "reward_head.safetensors", undefined, /reward_head\.safetensors: /],
  ])("a folder with %s is refused in one sentence", async (name, file, content, message) => {
    const broken = join(folder, name.replaceAll(" ", "-"));
    await cp(join(folder, "reward"), broken, { recursive: true });
    if (content === undefined) await rm(join(broken, file));
    else await writeFile(join(broken, file), content);
    const error = await LearnedReward.load(thread, broken).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
  });
});

function target(weight: number, ...tokens: number[]) {
  return { tokens, weight };
}

/** A network with every weight at random, the head's too. */
function untrained() {
  const config = newConfig({
    ...sizes,
    vocabulary: 12,
    targetVocabulary: 12,
    shared: true,
    eosId: 0,
    padId: 1,
    dropout: 0,
    maxPositions: 16,
  });
  const body = initialise(config, 3);
  const parameters = new Parameters([...parameterSpecs(config), ...headSpecs(config)]);
  for (const { name } of body.specs) parameters.view(name).set(body.view(name));
  headSpecs(config).forEach(({ name }, k) => {
    const view = parameters.view(name);
    for (let i = 0; i < view.length; i++) view[i] = 0.5 * normal(deriveKey(11, k), i);
  });
  return { config, parameters };
}

async function bytesOf(folder: string): Promise<Map<string, Buffer>> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );
}
