/** What both sides of the sampling measurements are given: a model folder with random weights, and sources. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../src/errors.js";
import { saveModelFolder } from "../src/model/folder.js";
import { initialise } from "../src/model/initialise.js";
import { deriveKey, integerBelow } from "../src/tensor/random.js";
import { presetConfig } from "./preset-config.js";

const VOCABULARY = 8000;

/** Of each candidate. */
export const NEW_TOKENS = 24;

/** Candidates a source, and as many sources as fill both sides' batches several times. */
const SIZES = [
  [1, 512],
  [16, 64],
  [100, 32],
] as const;

/** The sizes that the command line names, all where it names none. */
export function chosenSizes(choices: readonly string[]): (typeof SIZES)[number][] {
  const sizes = SIZES.filter(([n]) => choices.length === 0 || choices.includes(String(n)));
  if (sizes.length === 0)
    throw new UserError(`Sampling is measured at N = ${SIZES.map(([n]) => n).join(", ")}, not ${choices}.`);
  return sizes;
}

/** Writes the folder and the sources (8 to 23 tokens and end-of-sentence). Random weights never end, so work is equal. */
export async function sampleTask(): Promise<{ folder: string; sources: (count: number) => string }> {
  const folder = mkdtempSync(join(tmpdir(), "coppice-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const config = presetConfig("small", VOCABULARY, { dropout: 0.1, maxPositions: 512 });
  await saveModelFolder(folder, config, initialise(config, 1));
  return {
    folder,
    sources: (count) => {
      const file = join(folder, `sources-${count}.json`);
      const rows = Array.from({ length: count }, (_, row) => {
        const key = deriveKey(1, row);
        const length = 8 + integerBelow(key, 0, 16);
        return [...Array.from({ length }, (_, i) => 2 + integerBelow(key, i + 1, VOCABULARY - 2)), 0];
      });
      writeFileSync(file, JSON.stringify(rows));
      return file;
    },
  };
}
