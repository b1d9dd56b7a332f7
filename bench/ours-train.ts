/** Our side of `bench train`: updates of a fresh model on full rows, and the machine's matrix-product rate. */

import { newConfig } from "../src/model/config.js";
import { initialise } from "../src/model/initialise.js";
import { BatchFeeder, tokenGraph } from "../src/policy/network.js";
import { Graph } from "../src/tensor/graph.js";
import { matmul } from "../src/tensor/operations.js";
import { floats, Program } from "../src/tensor/program.js";
import { deriveKey, integerBelow } from "../src/tensor/random.js";
import { Trainer } from "../src/tensor/trainer.js";
import { median } from "./rounds.js";

const s = JSON.parse(process.argv[2]!) as Record<
  "model" | "inner" | "heads" | "encoderLayers" | "decoderLayers" | "vocab" | "batch" | "sourceTime" | "time",
  number
> & { threads: number; dropout: number; rounds: number; stepsPerRound: number; warmup: number };

const config = newConfig({
  width: s.model,
  inner: s.inner,
  heads: s.heads,
  encoderLayers: s.encoderLayers,
  decoderLayers: s.decoderLayers,
  vocabulary: s.vocab,
  targetVocabulary: s.vocab,
  shared: true,
  eosId: 0,
  padId: 1,
  dropout: s.dropout,
  maxPositions: 512,
});
const parameters = initialise(config, 1);
const { graph, loss, logProbs, sites } = tokenGraph(config, { smoothing: 0, dropout: s.dropout > 0 });
const trainer = await Trainer.compile(graph, loss, parameters, { logProbs }, { threads: s.threads });
const feeder = new BatchFeeder(config);
const draw = (row: number, length: number) =>
  Int32Array.from({ length }, (_, i) => 2 + integerBelow(deriveKey(1, row), i, s.vocab - 2));
const groups = Array.from({ length: s.batch }, (_, row) => ({
  source: draw(row, s.sourceTime),
  targets: [{ tokens: draw(row + s.batch, s.time), weight: 1 }],
}));
let step = 0;
const update = async () => {
  const batch = feeder.batch(groups, 1 / (s.batch * s.time));
  const masks = s.dropout > 0 ? feeder.dropout(sites, batch.symbols, s.dropout, 1, step++) : {};
  await trainer.update([{ ...batch, feeds: { ...batch.feeds, ...masks } }], {
    learningRate: 3e-4,
    weightDecay: 0.01,
    clipNorm: 1,
    averageDecay: 0,
  });
};
for (let i = 0; i < s.warmup; i++) await update();
const rates: number[] = [];
for (let round = 0; round < s.rounds; round++) {
  const start = performance.now();
  for (let i = 0; i < s.stepsPerRound; i++) await update();
  rates.push((1000 * s.stepsPerRound * s.batch * s.time) / (performance.now() - start));
}
const targetTokensPerSecond = median(rates);
const peak = await matrixPeak(s.threads);
console.log(
  JSON.stringify({
    targetTokensPerSecond,
    peakGflops: peak,
    shareOfPeak: (targetTokensPerSecond * flopsPerTargetToken()) / (peak * 1e9),
  }),
);

/** Multiplications and additions of forward and backward, matrix products only: three products for each in the forward pass. */
function flopsPerTargetToken(): number {
  const { model: d, inner, vocab } = s;
  const encoder = s.encoderLayers * (4 * d * d + 2 * d * inner + 2 * s.sourceTime * d);
  const decoder =
    s.decoderLayers * (6 * d * d + 2 * d * inner + 2 * s.time * d + 2 * s.sourceTime * d) + d * vocab;
  const crossKeys = s.decoderLayers * 2 * d * d;
  const perTarget = decoder + ((encoder + crossKeys) * s.sourceTime) / s.time;
  return 3 * 2 * perTarget;
}

/** Best rate of a 1,024-cubed float32 product through the same runtime, GFLOP/s. */
async function matrixPeak(threads: number): Promise<number> {
  const n = 1024;
  const product = new Graph();
  const out = matmul(product.input("a", [n, n]), product.input("b", [n, n]));
  const program = await Program.compile(product, { out }, { threads });
  const data = Float32Array.from({ length: n * n }, (_, i) => Math.sin(i));
  const feeds = { a: floats(data, [n, n]), b: floats(data.slice(), [n, n]) };
  let best = 0;
  for (let i = 0; i < 12; i++) {
    const start = performance.now();
    await program.run(feeds);
    best = Math.max(best, (2 * n ** 3) / ((performance.now() - start) * 1e6));
  }
  return best;
}
