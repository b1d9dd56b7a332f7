/**
 * Measurements against peers, each printed as a ratio with both rates.
 *
 *     npm run bench                       lists them
 *     npm run bench -- train              training, against PyTorch and Transformers
 *     npm run bench -- sample 100         sampling (or decode), at N = 100 alone
 *     npm run bench -- reward large       a pretrained reward of MetricX-large's size (5 GB of disk, 6 GB of memory)
 *     npm run bench -- sample --json      for machines
 *     npm run bench -- int8 MODEL PAIRS   what 8-bit weights cost a trained model
 *
 * The peers need Python: `pip install -r bench/peer/requirements.txt`, and COPPICE_PYTHON where it is not `python3`.
 */

import { UserError } from "../src/errors.js";
import { askBench } from "./ask.js";
import { candidatesBench } from "./candidates.js";
import { decodeBench } from "./decode.js";
import { filterBench } from "./filter.js";
import { int8Bench } from "./int8.js";
import { languageBench } from "./language.js";
import { loraBench } from "./lora.js";
import { memoryBench } from "./memory.js";
import { ratingsBench } from "./ratings.js";
import { rayBench } from "./ray.js";
import { rewardBench } from "./reward.js";
import { sampleBench } from "./sample.js";
import { serveBench } from "./serve.js";
import { storeBench } from "./store.js";
import { trainBench } from "./train.js";

interface Measurement {
  readonly about: string;
  /** With what stands behind the name on the command line. */
  run(choices: readonly string[]): Promise<object>;
}

const measurements: Readonly<Record<string, Measurement>> = {
  train: {
    about: "training tokens/s, against a plain PyTorch loop; share of the matrix-product peak",
    run: trainBench,
  },
  sample: { about: "candidates/s at N = 1, 16, 100, against Transformers' generate", run: sampleBench },
  decode: {
    about: "candidates/s with candidates sharing their source, against the same candidates apart",
    run: decodeBench,
  },
  serve: {
    about: "requests/s and latency of 1, 8 and 64 clients, with batches against one at a time",
    run: serveBench,
  },
  ask: {
    about: "candidates/s and requests/s that one process asks a server for, against OpenAI's Python client",
    run: askBench,
  },
  reward: {
    about: "tokens/s of a pretrained reward (an mT5), against Transformers",
    run: rewardBench,
  },
  filter: {
    about: "filters over 16 million candidates, above all a per-source percentile: seconds and memory",
    run: filterBench,
  },
  candidates: {
    about: "pages of ten million candidates in the dashboard: milliseconds at p50 and p99",
    run: candidatesBench,
  },
  ratings: {
    about: "rewards of people's ratings on MLQE-PE and WMT: correlations with people (DATA OUT; hours)",
    run: ratingsBench,
  },
  language: {
    about: "languages told wrong by sentence length, and dropped by `data clean`, against lingua (DATA)",
    run: languageBench,
  },
  int8: {
    about: "8-bit weights against 32-bit ones: products, and translation by the exported models",
    run: int8Bench,
  },
  lora: {
    about: "an adapter's training against that of all weights: target tokens/s, memory, sizes of files",
    run: loraBench,
  },
  ray: {
    about:
      "shards of a Grow step, and a trainer, as jobs of a local Ray cluster: killed, begun again, same bytes",
    run: rayBench,
  },
  store: {
    about: "shards that share an S3 server: one killed, one doubled; the bytes against those of one process",
    run: storeBench,
  },
  memory: {
    about: "growth over 10,000 training steps of varying shape, and over rounds of sampling and training",
    run: memoryBench,
  },
};

const [name, ...flags] = process.argv.slice(2);
const measurement = name === undefined ? undefined : measurements[name];
if (!measurement) {
  if (name !== undefined) console.error(`There is no measurement ${name}.`);
  console.log("npm run bench -- NAME [--json]\n");
  for (const [key, { about }] of Object.entries(measurements)) console.log(`  ${key.padEnd(10)} ${about}`);
  process.exitCode = name === undefined ? 0 : 2;
} else {
  try {
    const result = await measurement.run(flags.filter((flag) => !flag.startsWith("--")));
    if (flags.includes("--json")) console.log(JSON.stringify(result));
    else console.log(readable(result));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}

/** One figure a line; lists of objects as a row each. */
function readable(result: object): string {
  return Object.entries(result)
    .map(([key, value]) =>
      Array.isArray(value)
        ? `${key}\n${value.map((row) => `  ${inline(row)}`).join("\n")}`
        : `${key}  ${inline(value)}`,
    )
    .join("\n");
}

function inline(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toPrecision(3);
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([key, part]) => `${key} ${inline(part)}`)
    .join("   ");
}
