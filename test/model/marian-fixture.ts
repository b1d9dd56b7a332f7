/** What Transformers computed with the tiny models of test/fixtures/marian (see make.py there). */

import { readFileSync } from "node:fs";
import { loadModelFolder, type StoredModel } from "../../src/model/folder.js";
import { readSafetensors, type SafetensorsFile } from "../../src/model/safetensors.js";
import type { Group } from "../../src/policy/batches.js";

export interface Generation {
  readonly beams: number;
  readonly maxNewTokens: number;
  readonly lengthPenalty: number | null;
  readonly earlyStopping: boolean | "never" | null;
  /** [batch, beam, time], start token included, filled up with <pad>. */
  readonly sequences: number[][][];
  readonly scores: number[][] | null;
}

interface Results {
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
  readonly labels: number[][];
  readonly positions: number[][];
  readonly logits: number[][][];
  readonly loss: number;
  readonly logProbabilities: number[][];
  readonly generations: Generation[];
}

export interface MarianFixture extends StoredModel {
  readonly results: Results;
  readonly gradients: SafetensorsFile["tensors"];
  /** The fixture's rows without their padding; every target weighs 1. */
  readonly groups: Group[];
}

export const FIXTURES = ["swish", "relu", "separate"] as const;

export async function marianFixture(name: (typeof FIXTURES)[number]): Promise<MarianFixture> {
  const folder = new URL("../fixtures/marian/", import.meta.url).pathname;
  const results = JSON.parse(readFileSync(`${folder}${name}.json`, "utf8")) as Results;
  const { tensors: gradients } = await readSafetensors(`${folder}${name}.gradients.safetensors`);
  const groups = results.inputIds.map((ids, row) => ({
    source: ids.filter((_, i) => results.attentionMask[row]![i] === 1),
    targets: [{ tokens: results.labels[row]!.filter((label) => label >= 0), weight: 1 }],
  }));
  return { ...(await loadModelFolder(`${folder}${name}`)), results, gradients, groups };
}

/** The largest difference of two lists, and where it is. */
export function largestDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { difference: number; at: number } {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  let worst = { difference: 0, at: -1 };
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst.difference)) worst = { difference, at: i };
  }
  return worst;
}
