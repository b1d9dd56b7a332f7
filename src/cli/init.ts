/** Makes a run folder for pairs that the user has. */

import { join, relative, resolve } from "node:path";
import { countDuplicates } from "../data/duplicates.js";
import { columnsFrom } from "../data/formats/columns.js";
import type { Pair } from "../data/pair.js";
import { readPairs } from "../data/read.js";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { nearestName } from "../nearest.js";
import { defaultConfig } from "../rest/config.js";
import { commentedConfig } from "../rest/config-pages.js";
import { presetNames } from "../rest/config-schema.js";
import { writeFileAtomic } from "../store/atomic.js";
import { runFolder } from "../store/run-folder.js";

export interface InitOptions {
  dir: string;
  /** Files of pairs from the current folder; two text files in one, with a comma between. */
  pairs: readonly [string, ...string[]];
  preset?: string;
  /** Keys, columns or numbers of the two sides, as `data.sourceColumn` and `data.targetColumn` take them. */
  sourceColumn?: string;
  targetColumn?: string;
  /** Folder of a model to start from, from the current folder; it is taken as it is. */
  from?: string;
}

/** What `init` found and wrote. */
export interface Started {
  config: string;
  pairs: number;
  duplicatePairs: number;
  duplicateSources: number;
  medianSourceCharacters: number;
  medianTargetCharacters: number;
}

/**
 * Writes `coppice.yaml` into `dir`, which is made where it is missing.
 * Throws a UserError where one is there already, or a file cannot be read as pairs; then nothing is written.
 */
export async function startRunFolder(options: InitOptions): Promise<Started> {
  const { dir, pairs: specs, preset, from, ...asked } = options;
  const name = presetNames.find((one) => one === preset);
  if (preset !== undefined && name === undefined) {
    const near = nearestName(preset, presetNames);
    throw new UserError(
      `the preset ${JSON.stringify(preset)} is not one of ${presetNames.join(", ")}.${near ? ` Did you mean ${near}?` : ""}`,
    );
  }
  const { config: file } = runFolder(dir);
  if (await exists(file)) {
    throw new UserError(
      "this file is there already and is left as it is. Choose another folder, or move it away.",
      {
        file: join(dir, "coppice.yaml"),
      },
    );
  }

  const columns = columnsFrom(asked.sourceColumn ?? null, asked.targetColumn ?? null);
  const pairs: Pair[] = [];
  const train: string[] = [];
  for (const spec of specs) {
    // Not push(...): a corpus has more pairs than a call has room for arguments.
    for (const pair of await readPairs(spec, columns ? { columns } : {})) pairs.push(pair);
    train.push(await fromFolder(dir, spec));
  }
  const text = commentedConfig({
    ...(name && { preset: name }),
    data: { train, ...asked, ...heldOut(pairs.length) },
    ...(from !== undefined && { model: { from: await fromFolder(dir, from) }, bc: { steps: 0 } }),
  });
  await writeFileAtomic(file, text);
  const duplicates = countDuplicates(pairs);
  return {
    config: join(dir, "coppice.yaml"),
    pairs: pairs.length,
    duplicatePairs: duplicates.pairs,
    duplicateSources: duplicates.sources,
    medianSourceCharacters: median(pairs.map(({ source }) => source.length)),
    medianTargetCharacters: median(pairs.map(({ target }) => target.length)),
  };
}

/** Shares in place of the usual numbers of pairs, where those would take more than a fifth of a small corpus. */
function heldOut(pairs: number): { validationSize?: number; testSize?: number } {
  const { validationSize, testSize } = defaultConfig(["any"]).data;
  return validationSize + testSize > pairs / 5 ? { validationSize: 0.1, testSize: 0.1 } : {};
}

/** The same file or files, named from the run folder. */
async function fromFolder(dir: string, spec: string): Promise<string> {
  // A comma stands between two text files, unless it is a part of one file's name.
  const files = (await exists(spec)) ? [spec] : spec.split(",").map((part) => part.trim());
  return files.map((file) => relative(resolve(dir), resolve(file)).replaceAll("\\", "/")).join(",");
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
