/** The exact divergence of two policies against sums over every token that could come next, asked one by one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { toyPairs } from "../../src/data/toy.js";
import { sequenceKl } from "../../src/evaluate/kl.js";
import { newConfig } from "../../src/model/config.js";
import { NativePolicy } from "../../src/policy/native.js";
import { Thread } from "../../src/tensor/thread.js";
import { createTokenizer } from "../../src/text/tokenizer.js";
import { trainVocabulary } from "../../src/text/train-vocabulary.js";

const thread = new Thread();
const pairs = toyPairs({ pairs: 200, seed: 3, minLength: 3, maxLength: 4 });
const tokenizer = createTokenizer(
  trainVocabulary(
    pairs.map(({ source }) => source),
    { size: 270 },
  ),
);
const vocabulary = tokenizer.vocabularySize;
let random: NativePolicy;
/** Twelve updates on from other random weights: far from uniform, and from the first. */
let trained: NativePolicy;

function create(seed: number, width = 16): Promise<NativePolicy> {
  const config = newConfig({
    ...{ width, inner: 32, heads: 2, encoderLayers: 1, decoderLayers: 1, dropout: 0, maxPositions: 32 },
    ...{ vocabulary, targetVocabulary: vocabulary, shared: true },
    ...{ eosId: tokenizer.eosId, padId: tokenizer.padId },
  });
  return NativePolicy.create(thread, config, { source: tokenizer, target: tokenizer }, seed);
}

beforeAll(async () => {
  random = await create(1);
  trained = await create(2);
  await trained.train(
    pairs.map((pair) => ({ ...pair, weight: 1 })),
    {
      ...{ steps: 12, batchTokens: 256, accumulate: 1, learningRate: 1e-2, warmupSteps: 1, seed: 5 },
      ...{ schedule: "constant", labelSmoothing: 0, dropout: 0, weightDecay: 0, clipNorm: 1 },
      ...{ averageDecay: 0, evaluateEvery: 12, patience: 1 },
    },
  );
});

afterAll(() => thread.close());

/** log π(v | prefix) of every token v, by scoring each continuation. */
async function everyToken(policy: NativePolicy, source: string, prefix: readonly number[]) {
  const continuations = Array.from({ length: vocabulary }, (_, v) => ({ source, tokens: [...prefix, v] }));
  return (await policy.logProbabilities(continuations)).map(({ logProbs }) => logProbs.at(-1)!);
}

test("it is Σ π·(log π − log π₀) over all tokens, at each place of each candidate", async () => {
  const candidates = [
    { source: pairs[0]!.source, tokens: [12, 40, 7, tokenizer.eosId] },
    { source: pairs[1]!.source, tokens: [33, tokenizer.eosId] },
  ];
  const found = await trained.divergences(random, candidates);
  for (const [i, { source, tokens }] of candidates.entries()) {
    const naive: number[] = [];
    for (const at of tokens.keys()) {
      const prefix = tokens.slice(0, at);
      const [own, other] = [
        await everyToken(trained, source, prefix),
        await everyToken(random, source, prefix),
      ];
      naive.push(own.reduce((sum, logProb, v) => sum + Math.exp(logProb) * (logProb - other[v]!), 0));
      expect(found[i]!.referenceLogProbs[at]).toBeCloseTo(other[tokens[at]!]!, 5);
    }
    expect(found[i]!.divergences).toHaveLength(tokens.length);
    expect(Math.min(...naive)).toBeGreaterThan(0.1);
    found[i]!.divergences.forEach((divergence, at) => {
      expect(divergence).toBeCloseTo(naive[at]!, 4);
    });
  }
});

test("of a policy from itself it is 0, and neither way round is it negative", async () => {
  const candidates = pairs.map(({ source, target }) => ({ source, tokens: tokenizer.encode(target) }));
  const sizes = async (policy: NativePolicy, reference: NativePolicy) =>
    (await policy.divergences(reference, candidates)).flatMap(({ divergences }) => Array.from(divergences));
  for (const own of await sizes(trained, trained)) expect(Math.abs(own)).toBeLessThan(1e-6);
  expect(Math.min(...(await sizes(trained, random)))).toBeGreaterThan(0);
  expect(Math.min(...(await sizes(random, trained)))).toBeGreaterThan(0);
});

test("on prefixes that the policy sampled, its mean is that of log π − log π₀, with less spread", async () => {
  const sources = pairs.map(({ source }, sourceId) => ({ sourceId, text: source }));
  const samples = [];
  for await (const batch of trained.sample(sources, { n: 4, temperature: 1, maxTokens: 8, seed: 3, grow: 0 }))
    samples.push(...batch);
  const exact = await trained.divergences(
    random,
    samples.map(({ sourceId, tokens }) => ({ source: sources[sourceId]!.text, tokens })),
  );
  const sums = exact.map(({ divergences }) => divergences.reduce((sum, value) => sum + value, 0));
  const { k1 } = sequenceKl(
    samples.map(({ logProbs, sourceId }, i) => ({
      policy: logProbs,
      reference: exact[i]!.referenceLogProbs,
      group: sourceId,
    })),
  );
  const mean = sums.reduce((sum, value) => sum + value, 0) / sums.length;
  const spread = Math.sqrt(sums.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / sums.length;
  expect(Math.abs(mean - k1.mean)).toBeLessThan(4 * k1.standardError);
  expect(spread).toBeLessThan(k1.standardError);
});

test("policies of two shapes are refused", async () => {
  const wider = await create(1, 32);
  await expect(wider.divergences(random, [{ source: "1", tokens: [5] }])).rejects.toThrow(
    "two policies of one configuration",
  );
});
