/** The checkpoint of test/fixtures/metricx as a folder of full size, made for a test. */

import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors, type StoredTensor, writeSafetensors } from "../../../src/model/safetensors.js";

export const FIXTURE = fileURLToPath(new URL("../../fixtures/metricx/", import.meta.url));

const VOCABULARY = 250_112;
const SCORE_ID = 250_089;

/**
 * Writes the folder `name` into `parent`, with the rows that the fixture leaves out as NaN, so that reading one of them shows,
 * and its tensors changed by `change`.
 */
export async function metricxFolder(
  parent: string,
  name: string,
  change: (tensors: Map<string, StoredTensor>) => void = () => {},
): Promise<string> {
  const folder = join(parent, name);
  mkdirSync(folder);
  const { tensors } = await readSafetensors(join(FIXTURE, "weights.safetensors"));
  for (const [matrix, first] of [
    ["shared.weight", 0],
    ["lm_head.weight", SCORE_ID],
  ] as const) {
    const { shape, data } = tensors.get(matrix)!;
    const width = shape[1]!;
    const whole = new Float32Array(VOCABULARY * width).fill(Number.NaN);
    whole.set(data as Float32Array, first * width);
    tensors.set(matrix, { shape: [VOCABULARY, width], data: whole });
  }
  change(tensors);
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  for (const file of ["config.json", "spiece.model"]) copyFileSync(join(FIXTURE, file), join(folder, file));
  return folder;
}
