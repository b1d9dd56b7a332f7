/** An mT5 regression out of a Hugging Face folder. */

import { join } from "node:path";
import { UserError } from "../errors.js";
import { floatData, floats, type Tensor } from "../tensor/program.js";
import { type Checkpoint, openCheckpoint } from "./checkpoint.js";
import { readIfThere } from "./files.js";
import { EMBEDDING, HEAD, type Mt5Config, mt5Shapes, parseMt5Config, unusedShapes } from "./mt5.js";

/** The configuration's file. */
export const CONFIG = "config.json";

/** Names under which Transformers may store the embedding once more. */
const COPIES = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"];

export interface StoredMt5 {
  readonly config: Mt5Config;
  /** The feeds of `mt5Regression`'s parameters. */
  readonly weights: Readonly<Record<string, Tensor>>;
}

/** The JSON of a folder's configuration, undefined where it has none. @throws UserError where it is not JSON. */
export async function readConfigJson(folder: string): Promise<unknown> {
  const file = join(folder, CONFIG);
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError("this is not JSON. Copy the model folder again.", { file }, { cause });
  }
}

/**
 * Reads the network of a folder, with row `scoreId` of its output matrix as the head.
 * @throws UserError naming the file, and the key or tensor, where one is missing, unknown, superfluous or of another shape.
 */
export async function loadMt5Regression(folder: string, scoreId: number): Promise<StoredMt5> {
  const file = join(folder, CONFIG);
  const json = await readConfigJson(folder);
  if (json === undefined)
    throw new UserError("there is no such file. A model folder holds config.json and its weights.", { file });
  const config = parseMt5Config(json, file);
  if (config.vocabulary <= scoreId)
    throw new UserError(
      `vocab_size is ${config.vocabulary}, but the score is read from token ${scoreId}. This is another model.`,
      { file },
    );
  const checkpoint = await openCheckpoint(folder);
  try {
    return { config, weights: await readWeights(checkpoint, config, scoreId) };
  } finally {
    await checkpoint.close();
  }
}

async function readWeights(
  checkpoint: Checkpoint,
  config: Mt5Config,
  scoreId: number,
): Promise<Record<string, Tensor>> {
  const { vocabulary, width } = config;
  const shapes = mt5Shapes(config);
  const unused = unusedShapes(config);
  const known = new Set([...shapes.keys(), ...unused.keys(), HEAD, ...COPIES]);
  for (const name of checkpoint.shapes.keys())
    if (!known.has(name))
      throw new UserError(
        `tensor "${name}" has no place in the mT5 that ${CONFIG} describes. Copy the model folder again as it was published.`,
        { file: checkpoint.file },
      );
  const weights: Record<string, Tensor> = {
    [HEAD]: floats(await checkpoint.read(HEAD, [vocabulary, width], scoreId), [width]),
  };
  for (const [name, shape] of shapes) weights[name] = floats(await checkpoint.read(name, shape), shape);
  // Not needed, but a checkpoint without them is not whole.
  for (const [name, shape] of unused) await checkpoint.read(name, shape);
  const embedding = floatData(weights[EMBEDDING]);
  for (const name of COPIES) {
    if (!checkpoint.shapes.has(name)) continue;
    const copy = await checkpoint.read(name, [vocabulary, width]);
    if (!copy.every((weight, i) => weight === embedding[i]))
      throw new UserError(
        `tensors "${EMBEDDING}" and "${name}" differ, but mT5 has one matrix for both. Copy the model folder again.`,
        { file: checkpoint.file },
      );
  }
  return weights;
}
