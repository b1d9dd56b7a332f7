/** The smallest run that has every step: a toy that ends in seconds. */

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toyPairs } from "../../src/data/toy.js";
import { type ConfigInput, renderConfig, resolveConfig } from "../../src/rest/config.js";
import { runAll } from "../../src/rest/run.js";

/** Two groups deep is as deep as a test changes. */
type Groups = Record<string, unknown>;
/** null: the group's defaults, for a group that has no effect. */
type Overrides = Record<string, Groups | number | string | null>;

const tiny = {
  data: { train: ["pairs.tsv"], validationSize: 20, testSize: 30, maxTokens: 16 },
  model: { encoderLayers: 1, decoderLayers: 1, width: 16, inner: 32, heads: 2, vocabulary: 270 },
  bc: { steps: 30, batchTokens: 256, learningRate: 5e-3, warmupSteps: 10, validateEvery: 10 },
  reward: { kind: "places" },
  grow: { samples: 2, maxTokens: 8 },
  improve: {
    thresholds: { kind: "absolute", values: [0.1, 0.3] },
    steps: 2,
    trainSteps: 8,
    batchTokens: 256,
    warmupSteps: 2,
    evaluateEvery: 4,
    control: true,
  },
  evaluate: { samples: 2, bestOfN: [1, 2], bestOfNSamples: 2, examples: 2 },
} satisfies ConfigInput;

/** One Grow and one Improve, of a few training steps each: for what a run does around them. */
export const shortest = {
  bc: { steps: 4, validateEvery: 4, warmupSteps: 2 },
  improve: {
    thresholds: { kind: "quantile", values: [0.3] },
    steps: 1,
    trainSteps: 2,
    warmupSteps: 1,
    evaluateEvery: 2,
    control: false,
  },
  evaluate: { samples: 1, bestOfN: [], examples: 1 },
} satisfies Overrides;

/** A new folder with `coppice.yaml` and `pairs.tsv`; `over` replaces keys of the tiny configuration, group by group. */
export function tinyRun(over: Overrides = {}, pairs = 300, parent = tmpdir()): string {
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, "coppice-tiny-"));
  const lines = toyPairs({ pairs, seed: 1, maxLength: 5 }).map(
    ({ source, target }) => `${source}\t${target}\n`,
  );
  writeFileSync(join(dir, "pairs.tsv"), lines.join(""));
  writeConfig(dir, over);
  return dir;
}

export function writeConfig(dir: string, over: Overrides = {}): void {
  const config: Record<string, unknown> = { ...tiny };
  for (const [group, keys] of Object.entries(over)) {
    const below = config[group];
    const mixed = keys && typeof keys === "object" && typeof below === "object" && !("kind" in keys);
    config[group] = mixed ? { ...below, ...keys } : keys;
  }
  // Checked by resolveConfig itself, whatever a test puts in.
  writeFileSync(join(dir, "coppice.yaml"), renderConfig(resolveConfig(config as ConfigInput)));
}

/** Runs the folder; what it said. */
export async function notesOf(dir: string): Promise<string[]> {
  const said: string[] = [];
  const progress = () => ({ update: () => {}, finish: () => {} });
  await runAll({ dir, reporter: { note: (sentence) => said.push(sentence), progress } });
  return said;
}
