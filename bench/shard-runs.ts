/** What the trials of shards share: runs of a toy whose Grow step is due, in as many copies as are wanted, and the command line. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toyPairs } from "../src/data/toy.js";
import { renderConfig, resolveConfig } from "../src/rest/config.js";
import { BC } from "../src/rest/names.js";
import { withRun } from "../src/rest/run.js";
import { evaluatePolicy } from "../src/rest/steps/evaluate.js";
import { imitate } from "../src/rest/steps/imitate.js";
import { prepare } from "../src/rest/steps/prepare.js";

const PAIRS = 3000;
/** To train on: six files. */
export const SOURCES = 2950;
export const SAMPLES = 16;
export const SHARDS = 3;
export const PARTS = 6;

const root = fileURLToPath(new URL("../", import.meta.url));
/** How the command line is begun, by those who do not use `cli`. */
export const COMMAND = [
  process.execPath,
  "--import",
  import.meta.resolve("tsx"),
  join(root, "src/cli/main.ts"),
];

export type Environment = Readonly<Record<string, string>>;

/** A copy of the run whose Grow step is due, with its store; of another seed where one is given. */
export type Copy = (name: string, store?: string | null, seed?: number) => string;

export async function runs(folder: string, shared: string | null): Promise<Copy> {
  const config = (store: string | null, seed: number) =>
    renderConfig(
      resolveConfig({
        seed,
        data: { train: ["pairs.tsv"], validationSize: 20, testSize: 30, maxTokens: 16 },
        model: { encoderLayers: 2, decoderLayers: 2, width: 64, inner: 128, heads: 4, vocabulary: 270 },
        bc: { steps: 20, validateEvery: 20, warmupSteps: 5 },
        reward: { kind: "places" },
        grow: { samples: SAMPLES, maxTokens: 16, store },
        evaluate: { samples: 1, bestOfN: [], examples: 1 },
      }),
    );
  const begun = async (seed: number) => {
    const dir = join(folder, `start-${seed}`);
    mkdirSync(dir);
    const pairs = toyPairs({ pairs: PAIRS, seed, maxLength: 12 });
    writeFileSync(
      join(dir, "pairs.tsv"),
      pairs.map(({ source, target }) => `${source}\t${target}\n`).join(""),
    );
    writeFileSync(join(dir, "coppice.yaml"), config(null, seed));
    await withRun({ dir }, async (run) => {
      await prepare(run);
      await imitate(run);
      await evaluatePolicy(run, BC);
    });
  };
  for (const seed of [1, 2]) await begun(seed);
  return (name, store = shared, seed = 1) => {
    const dir = join(folder, name);
    cpSync(join(folder, `start-${seed}`), dir, { recursive: true });
    writeFileSync(join(dir, "coppice.yaml"), config(store, seed));
    return dir;
  };
}

/** Files are of 500 sources each, the last of what is left. */
export function partName(at: number): string {
  const digits = (id: number) => String(id).padStart(6, "0");
  return `part-${digits(at * 500)}-${digits(Math.min(at * 500 + 499, SOURCES - 1))}.parquet`;
}

export interface End {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function cli(
  args: readonly string[],
  env: Environment,
): { process: ChildProcess; ended: Promise<End> } {
  const child = spawn(COMMAND[0]!, [...COMMAND.slice(1), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", (bytes) => {
      end[stream] += bytes;
    });
  return { process: child, ended: once(child, "close").then(([code]) => ({ code, ...end })) };
}

export function succeeded(...ends: readonly End[]): void {
  for (const { code, stderr } of ends)
    if (code !== 0) throw new Error(`a worker ended with ${code}: ${stderr}`);
}
