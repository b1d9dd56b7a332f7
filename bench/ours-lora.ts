/** One side of `bench lora`: an Improve step's training of all weights, or of an adapter, as the worker does it. */

import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newConfig } from "../src/model/config.js";
import { saveModelFolder } from "../src/model/folder.js";
import { initialise } from "../src/model/initialise.js";
import { packGroups } from "../src/policy/packed.js";
import open, { type TrainRequest } from "../src/policy/worker.js";
import { deriveKey, integerBelow } from "../src/tensor/random.js";

const s = JSON.parse(process.argv[2]!) as Record<
  "model" | "inner" | "heads" | "layers" | "vocab" | "batch" | "time" | "warmup" | "steps",
  number
> &
  Pick<TrainRequest, "lora">;

const config = newConfig({
  width: s.model,
  inner: s.inner,
  heads: s.heads,
  encoderLayers: s.layers,
  decoderLayers: s.layers,
  vocabulary: s.vocab,
  targetVocabulary: s.vocab,
  shared: true,
  eosId: 0,
  padId: 1,
  dropout: 0,
  maxPositions: 512,
});
const home = await mkdtemp(join(tmpdir(), "coppice-bench-"));
await saveModelFolder(join(home, "G0I0"), config, initialise(config, 1));
const draw = (row: number) =>
  Array.from({ length: s.time }, (_, i) => 2 + integerBelow(deriveKey(1, row), i, s.vocab - 2));
const request: TrainRequest = {
  groups: packGroups(
    Array.from({ length: 4 * s.batch }, (_, row) => ({
      source: draw(2 * row),
      targets: [{ tokens: draw(2 * row + 1), weight: 1 }],
    })),
  ),
  options: {
    steps: s.warmup + s.steps,
    batchTokens: s.batch * s.time,
    accumulate: 1,
    learningRate: 3e-4,
    warmupSteps: 0,
    schedule: "constant",
    labelSmoothing: 0.1,
    dropout: 0.1,
    weightDecay: 1e-4,
    clipNorm: 1,
    averageDecay: 0.99,
    seed: 1,
  },
  ...(s.lora ? { lora: s.lora } : {}),
};
const context = { progress: () => undefined, cancelled: () => false };
const policy = await open({ folder: join(home, "G0I0") });
// Each method is given what it takes: see thread-worker.ts.
const call = (name: string, args: unknown) => policy.methods[name]!(args as never, context);
await call("beginTraining", request);
await call("trainSteps", s.warmup);
const [started, before] = [performance.now(), process.cpuUsage()];
await call("trainSteps", s.steps);
const seconds = (performance.now() - started) / 1000;
const spent = process.cpuUsage(before);
const tokens = s.steps * s.batch * s.time;
await call("keepBest", undefined);
const state = join(home, "training");
await call("saveTraining", { path: state, extra: {} });
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
await call("endTraining", undefined);
await call("save", join(home, "G1I1"));
await policy.release();
const sizes = await Promise.all(
  (await readdir(join(home, "G1I1"))).map(async (name) => (await stat(join(home, "G1I1", name))).size),
);
console.log(
  JSON.stringify({
    targetTokensPerSecond: tokens / seconds,
    // What counts on a machine that does other things too.
    targetTokensPerProcessorSecond: (1e6 * tokens) / (spent.user + spent.system),
    peakMegabytes,
    stateMegabytes: (await stat(state)).size / 2 ** 20,
    policyMegabytes: sizes.reduce((a, b) => a + b, 0) / 2 ** 20,
  }),
);
await rm(home, { recursive: true });
