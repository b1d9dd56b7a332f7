/** Whether memory stays flat: 10,000 training steps of varying shape, and sampling, training and taking weights by turns. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { toyPairs } from "../src/data/toy.js";
import { newConfig } from "../src/model/config.js";
import { initialise } from "../src/model/initialise.js";
import { NativePolicy } from "../src/policy/native.js";
import { BatchFeeder, tokenGraph } from "../src/policy/network.js";
import { deriveKey, integerBelow } from "../src/tensor/random.js";
import { Thread } from "../src/tensor/thread.js";
import { Trainer } from "../src/tensor/trainer.js";
import { createTokenizer } from "../src/text/tokenizer.js";
import { trainVocabulary } from "../src/text/train-vocabulary.js";
import { machine } from "./rounds.js";

const STEPS = 10_000;
const ROUNDS = 300;
/** Looks at the memory in the course of each. */
const LOOKS = 20;
const VOCABULARY = 60;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

export async function memoryBench(): Promise<object> {
  return { training: await training(), turns: await turns(), ...machine() };
}

/** Memory of the process in megabytes, garbage not counted. */
function held(): number {
  collect();
  return process.memoryUsage().rss / 2 ** 20;
}

/** Does `count` things, and says by how many megabytes the memory grew a thousand of them in their second half. */
async function watch(count: number, unit: string, once: (i: number) => Promise<void>): Promise<object> {
  const looks: { at: number; megabytes: number }[] = [];
  for (let i = 1; i <= count; i++) {
    await once(i);
    if (i % (count / LOOKS) !== 0) continue;
    looks.push({ at: i / 1000, megabytes: held() });
    console.error(`${i} of ${count} ${unit}: ${looks.at(-1)!.megabytes.toFixed(1)} MB`);
  }
  const half = looks.slice(LOOKS / 2);
  return {
    [unit]: count,
    megabytesAtHalf: half[0]!.megabytes,
    megabytesAtEnd: half.at(-1)!.megabytes,
    growthPerThousand: slope(half),
  };
}

/** Least squares. */
function slope(points: readonly { at: number; megabytes: number }[]): number {
  const mean = (of: (point: (typeof points)[number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(({ at }) => at), mean(({ megabytes }) => megabytes)];
  const along = mean(({ at, megabytes }) => (at - x) * (megabytes - y));
  return along / mean(({ at }) => (at - x) ** 2);
}

function tinyConfig(vocabulary: number, eosId: number, padId: number) {
  return newConfig({
    width: 16,
    inner: 32,
    heads: 2,
    encoderLayers: 1,
    decoderLayers: 1,
    vocabulary,
    targetVocabulary: vocabulary,
    shared: true,
    eosId,
    padId,
    dropout: 0.1,
    maxPositions: 64,
  });
}

async function training(): Promise<object> {
  const config = tinyConfig(VOCABULARY, 0, 1);
  const { graph, loss, logProbs, sites } = tokenGraph(config, { smoothing: 0.1, dropout: true });
  const trainer = await Trainer.compile(graph, loss, initialise(config, 1), { logProbs }, { threads: 2 });
  const feeder = new BatchFeeder(config);
  const options = { learningRate: 1e-3, weightDecay: 0.01, clipNorm: 1, averageDecay: 0.99 };
  const found = await watch(STEPS, "steps", async (step) => {
    const key = deriveKey(3, step);
    const draw = (counter: number, low: number, high: number) =>
      low + integerBelow(key, counter, high - low + 1);
    const tokens = (counter: number) =>
      Array.from({ length: draw(counter, 2, 30) }, (_, i) => 2 + ((step + 31 * i) % (VOCABULARY - 2)));
    const groups = Array.from({ length: draw(0, 1, 8) }, (_, g) => ({
      source: tokens(10 + g),
      targets: Array.from({ length: draw(1, 1, 4) }, (_, c) => ({
        tokens: tokens(100 + 10 * g + c),
        weight: 1,
      })),
    }));
    const batch = feeder.batch(groups, 0.01);
    const masks = feeder.dropout(sites, batch.symbols, config.dropout, 1, step);
    await trainer.update([{ ...batch, feeds: { ...batch.feeds, ...masks } }], options);
  });
  await trainer.release();
  return found;
}

/** What Improve does again and again: programs are compiled for sampling, weights change, the programs go. */
async function turns(): Promise<object> {
  const pairs = toyPairs({ pairs: 200, seed: 1, maxLength: 6 });
  const texts = pairs.flatMap(({ source, target }) => [source, target]);
  const tokenizer = createTokenizer(trainVocabulary(texts, { size: 270, minFrequency: 2 }));
  const thread = new Thread();
  const config = tinyConfig(tokenizer.vocabularySize, tokenizer.eosId, tokenizer.padId);
  const policy = await NativePolicy.create(thread, config, { source: tokenizer, target: tokenizer }, 1);
  const sources = pairs.slice(0, 16).map(({ source }, sourceId) => ({ sourceId, text: source }));
  const found = await watch(ROUNDS, "rounds", async (round) => {
    for await (const _ of policy.sample(sources, {
      n: 4,
      temperature: 1,
      maxTokens: 8,
      seed: round,
      grow: 0,
    }));
    await policy.train(
      pairs.slice(0, 40).map(({ source, target }) => ({ source, target, weight: 1 })),
      {
        steps: 2,
        batchTokens: 256,
        accumulate: 1,
        learningRate: 1e-3,
        warmupSteps: 1,
        schedule: "constant",
        labelSmoothing: 0.1,
        dropout: 0.1,
        weightDecay: 0,
        clipNorm: 1,
        averageDecay: 0.9,
        seed: round,
        evaluateEvery: 2,
        patience: Number.POSITIVE_INFINITY,
      },
    );
  });
  await policy.release();
  await thread.close();
  return found;
}
