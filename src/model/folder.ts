/**
 * A model as a Hugging Face folder: `config.json`, `generation_config.json` and `model.safetensors`, or in its place
 * `pytorch_model.bin`, which is read but never written; either may be cut into shards. Or an adapter's folder, which names the folder that it builds on.
 * A folder of Marian itself (`.npz`) is read too.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { type ParameterSpec, Parameters } from "../tensor/parameters.js";
import { ADAPTER_WEIGHTS, baseFolderOf, loadAdapterWeights, readAdapterConfig } from "./adapter-folder.js";
import { checkpointFiles, openCheckpoint } from "./checkpoint.js";
import { type MarianConfig, parseConfig, renderConfig } from "./config.js";
import { fileError, readIfThere, writeWhole } from "./files.js";
import { parseGeneration, renderGeneration } from "./generation.js";
import { type Lora, mergeLora } from "./lora.js";
import { parameterSpecs, positionTable, sourceEmbedding, targetEmbedding } from "./marian.js";
import { loadMarianNpz, npzFiles } from "./marian-npz.js";
import { readSafetensors, type StoredTensor, writeSafetensors } from "./safetensors.js";
import { readTorchFile } from "./torch-file.js";

const CONFIG = "config.json";
const GENERATION = "generation_config.json";
const WEIGHTS = "model.safetensors";

export interface StoredModel {
  readonly config: MarianConfig;
  /** Those of an adapter's folder have the adapter in them. */
  readonly parameters: Parameters;
  /** Of an adapter's folder: what it adds, and to which model. */
  readonly adapter?: StoredAdapter;
}

export interface StoredAdapter {
  readonly lora: Lora;
  /** A and B. */
  readonly weights: Parameters;
  readonly baseFolder: string;
}

/**
 * Reads the network of a Hugging Face folder; the tokenizer's files are not touched.
 *
 * Names that Transformers ties to one matrix (`lm_head.weight`, the embeddings) may all be there, if they hold the same
 * numbers, or any one of them. A missing `final_logits_bias` is zero.
 *
 * @throws UserError naming the file, and the key or tensor, where one is missing, unknown, of another shape or not
 * supported; for an adapter too where its base is not there, or not the one that it was trained on.
 */
export async function loadModelFolder(folder: string): Promise<StoredModel> {
  const found = await readAdapterConfig(folder);
  if (!found) return loadWhole(folder);
  const { lora } = found;
  const baseFolder = await baseFolderOf(folder, found);
  const { config, parameters } = await loadWhole(baseFolder);
  const weights = await loadAdapterWeights(folder, lora, config, parameters);
  mergeLora(config, lora, parameters, weights, parameters);
  return { config, parameters, adapter: { lora, weights, baseFolder } };
}

/** The folder that holds config.json and the tokenizers: `folder` itself, or that of the model which its adapter adapts. */
export async function wholeFolder(folder: string): Promise<string> {
  const found = await readAdapterConfig(folder);
  return found ? baseFolderOf(folder, found) : folder;
}

/** The files whose numbers a policy follows from: its weights, or an adapter's and its model's. */
export async function weightFiles(folder: string): Promise<string[]> {
  const found = await readAdapterConfig(folder);
  if (!found) return wholeWeights(folder);
  const base = await baseFolderOf(folder, found);
  return [join(folder, ADAPTER_WEIGHTS), ...(await wholeWeights(base))];
}

async function wholeWeights(folder: string): Promise<string[]> {
  const npz = await npzFiles(folder);
  return npz.length > 0 ? npz.map((name) => join(folder, name)) : checkpointFiles(folder);
}

async function loadWhole(folder: string): Promise<StoredModel> {
  const npz = await npzFiles(folder);
  if (npz.length > 0) return loadMarianNpz(folder, npz);
  const configFile = join(folder, CONFIG);
  const text = await readIfThere(configFile);
  if (text === undefined)
    throw new UserError("there is no such file. A model folder holds config.json and model.safetensors.", {
      file: configFile,
    });
  const config = await withGeneration(folder, parseJson(text, configFile), configFile);
  const files = await checkpointFiles(folder);
  return { config, parameters: assemble(config, await readTensors(folder, files), files[0]!) };
}

/** The configuration with the settings of its search: `generation_config.json`'s, or where there is none `config.json`'s. */
async function withGeneration(folder: string, json: unknown, configFile: string): Promise<MarianConfig> {
  const config = parseConfig(json, configFile);
  const file = join(folder, GENERATION);
  const text = await readIfThere(file);
  const generation =
    text === undefined
      ? parseGeneration(json, config, configFile)
      : parseGeneration(parseJson(text, file), config, file);
  return { ...config, generation };
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError("this is not JSON. Copy the model folder again.", { file }, { cause });
  }
}

/**
 * Writes the network into `folder`, which is made where it is missing. Each file appears whole or not at all; the weights
 * come last. The same network gives the same bytes.
 *
 * @throws UserError if the folder cannot be written.
 */
export async function saveModelFolder(
  folder: string,
  config: MarianConfig,
  parameters: Parameters,
): Promise<void> {
  await saveModelSettings(folder, config);
  const tensors = new Map(
    parameterSpecs(config).map(({ name, shape }) => [name, { shape, data: parameters.view(name) }] as const),
  );
  await writeSafetensors(join(folder, WEIGHTS), tensors);
}

/** Writes all of it but the weights. @throws UserError if the folder cannot be written. */
export async function saveModelSettings(folder: string, config: MarianConfig): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, "be made", folder);
  }
  await writeWhole(join(folder, CONFIG), [Buffer.from(renderConfig(config))]);
  await writeWhole(join(folder, GENERATION), [Buffer.from(renderGeneration(config.generation, config))]);
}

/** All tensors of the files that `checkpointFiles` named. */
async function readTensors(folder: string, files: readonly string[]): Promise<Map<string, StoredTensor>> {
  const [file, ...shards] = files as [string, ...string[]];
  if (shards.length === 0)
    return file.endsWith(".safetensors") ? (await readSafetensors(file)).tensors : readTorchFile(file);
  const checkpoint = await openCheckpoint(folder);
  try {
    const tensors = new Map<string, StoredTensor>();
    for (const [name, shape] of checkpoint.shapes)
      tensors.set(name, { shape, data: await checkpoint.read(name, shape) });
    return tensors;
  } finally {
    await checkpoint.close();
  }
}

function assemble(config: MarianConfig, tensors: Map<string, StoredTensor>, file: string): Parameters {
  const specs = parameterSpecs(config);
  const unread = new Set(tensors.keys());
  const found = new Map<string, Float32Array>();
  for (const spec of specs) {
    const names = [spec.name, ...tiedNames(config, spec.name)].filter((name) => unread.delete(name));
    const [first, ...others] = names.map((name) => checked(name, tensors.get(name)!, spec, file));
    if (!first) {
      if (spec.name === "final_logits_bias") continue;
      throw new UserError(
        `tensor "${spec.name}" of shape [${spec.shape}] is missing. Copy the model folder again, or correct ${CONFIG}.`,
        { file },
      );
    }
    others.forEach((other, i) => {
      if (!first.every((weight, at) => weight === other[at]))
        throw new UserError(
          `tensors "${names[0]}" and "${names[i + 1]}" differ, but ${CONFIG} ties them. Coppice reads tied models only.`,
          { file },
        );
    });
    found.set(spec.name, first);
  }
  for (const name of ["model.encoder.embed_positions.weight", "model.decoder.embed_positions.weight"])
    if (unread.delete(name)) checkPositions(config, name, tensors.get(name)!, file);
  for (const name of unread)
    throw new UserError(
      `tensor "${name}" has no place in the network that ${CONFIG} describes. Correct ${CONFIG}, or take the tensor out.`,
      { file },
    );
  // Memory is taken last: only now are the sizes known to be those of the file.
  const parameters = new Parameters(specs);
  for (const [name, weights] of found) parameters.view(name).set(weights);
  return parameters;
}

/** Names under which Transformers may store the same matrix once more. */
function tiedNames(config: MarianConfig, name: string): string[] {
  const names: string[] = [];
  if (name === sourceEmbedding(config) && config.sharedEmbeddings)
    names.push("model.encoder.embed_tokens.weight");
  if (name === targetEmbedding(config)) names.push("model.decoder.embed_tokens.weight", "lm_head.weight");
  return names.filter((tied) => tied !== name);
}

function checked(name: string, tensor: StoredTensor, { shape }: ParameterSpec, file: string): Float32Array {
  const fits =
    tensor.shape.length === shape.length && shape.every((size, axis) => size === tensor.shape[axis]);
  if (!fits)
    throw new UserError(
      `tensor "${name}" has shape [${tensor.shape}], but ${CONFIG} asks for [${shape}]. The two belong to different models.`,
      { file },
    );
  if (!(tensor.data instanceof Float32Array))
    throw new UserError(`tensor "${name}" holds whole numbers, expected real ones.`, { file });
  return tensor.data;
}

/** Positions are computed here, so stored ones must be the sinusoidal ones; 16-bit files round them by up to 2⁻⁸. */
function checkPositions(config: MarianConfig, name: string, tensor: StoredTensor, file: string): void {
  const { maxPositions, width } = config;
  const data = checked(name, tensor, { name, shape: [maxPositions, width], decay: false }, file);
  const expected = positionTable(maxPositions, width);
  if (data.some((value, i) => !(Math.abs(value - expected[i]!) < 0.005)))
    throw new UserError(
      `tensor "${name}" holds other positions than Marian's sines and cosines. Coppice computes those only.`,
      { file },
    );
}
