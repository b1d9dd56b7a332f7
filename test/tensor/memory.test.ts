import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { newConfig } from "../../src/model/config.js";
import { initialise } from "../../src/model/initialise.js";
import { BatchFeeder, tokenGraph } from "../../src/policy/network.js";
import { deriveKey, integerBelow } from "../../src/tensor/random.js";
import { Trainer } from "../../src/tensor/trainer.js";

/** `npm run bench -- memory` takes 10,000. */
const STEPS = 250;
/** By then every shape's largest buffers have been asked for about once. */
const WARM_UP = 80;
const MEGABYTE = 1 << 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Memory that the process holds, in megabytes, garbage not counted. */
function held(): number {
  collect();
  return process.memoryUsage().rss / MEGABYTE;
}

it(`memory stays flat over ${STEPS} training steps of varying shape`, {
  timeout: 60_000 + 60 * STEPS,
}, async () => {
  const config = newConfig({
    width: 64,
    inner: 128,
    heads: 4,
    encoderLayers: 2,
    decoderLayers: 2,
    vocabulary: 500,
    targetVocabulary: 500,
    shared: true,
    eosId: 0,
    padId: 1,
    dropout: 0.1,
    maxPositions: 64,
  });
  const { graph, loss, logProbs, sites } = tokenGraph(config, { smoothing: 0.1, dropout: true });
  const trainer = await Trainer.compile(graph, loss, initialise(config, 1), { logProbs }, { threads: 2 });
  const feeder = new BatchFeeder(config);
  const options = { learningRate: 1e-3, weightDecay: 0.01, clipNorm: 1, averageDecay: 0.99 };
  const tokens = (length: number, key: number) =>
    Array.from({ length }, (_, i) => (i === length - 1 ? 0 : 2 + ((key + 31 * i) % 498)));

  const update = async (step: number): Promise<void> => {
    const key = deriveKey(3, step);
    const draw = (counter: number, low: number, high: number) =>
      low + integerBelow(key, counter, high - low + 1);
    const groups = Array.from({ length: draw(0, 1, 8) }, (_, g) => ({
      source: tokens(draw(10 + g, 2, 30), step + g),
      targets: Array.from({ length: draw(1, 1, 4) }, (_, c) => ({
        tokens: tokens(draw(100 + 10 * g + c, 2, 30), step + c),
        weight: 1,
      })),
    }));
    const batch = feeder.batch(groups, 0.01);
    const masks = feeder.dropout(sites, batch.symbols, config.dropout, 1, step);
    await trainer.update([{ ...batch, feeds: { ...batch.feeds, ...masks } }], options);
  };

  for (let step = 0; step < WARM_UP; step++) await update(step);
  const before = held();
  const figures: number[] = [];
  for (let step = WARM_UP; step < STEPS; step++) {
    await update(step);
    if (step % 50 === 49) figures.push(Math.round(held() - before));
  }
  await trainer.release();
  // Keeping one step's masks alone would take about half a megabyte a step. What remains is the runtime's arena, which
  // grows in jumps of some megabytes when shapes come that are larger than all before: ever less often.
  expect(Math.max(...figures), `megabytes every 50 steps: ${figures}`).toBeLessThan(60 + STEPS / 100);
});
