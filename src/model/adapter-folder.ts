/**
 * A LoRA adapter as a folder in PEFT's layout: `adapter_config.json`, which names the model that it adapts, and A and B in
 * `adapter_model.safetensors`.
 */

import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { exists } from "../exists.js";
import { Parameters } from "../tensor/parameters.js";
import type { MarianConfig } from "./config.js";
import { fileError, readIfThere, writeWhole } from "./files.js";
import { type Lora, loraSpecs } from "./lora.js";
import { type LoraTarget, loraTargets } from "./lora-targets.js";
import { readSafetensors, writeSafetensors } from "./safetensors.js";

const ADAPTER_CONFIG = "adapter_config.json";
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";
/** What PEFT puts before the names of a model's layers. */
const PREFIX = "base_model.model.";
/** In the metadata of `adapter_model.safetensors`: which weights A and B were trained on. */
const BASE_HASH = "base_sha256";

export interface AdapterConfig {
  readonly lora: Lora;
  /** `base_model_name_or_path` as it stands there: a folder seen from the adapter's, or from where a program is run. */
  readonly base: string;
}

/** What a folder says of its adapter; undefined where it holds none. @throws UserError for what Coppice does not compute. */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig | undefined> {
  const file = join(folder, ADAPTER_CONFIG);
  const text = await readIfThere(file);
  return text === undefined ? undefined : parseAdapterConfig(text, file);
}

/** The folder of the model that an adapter's folder builds on. @throws UserError where there is no such folder. */
export async function baseFolderOf(folder: string, { base }: AdapterConfig): Promise<string> {
  // PEFT looks from where the program runs; inside a run the path starts at the adapter, so that runs can be moved.
  for (const place of [resolve(folder, base), resolve(base)]) {
    if (await exists(join(place, ADAPTER_CONFIG)))
      throw new UserError(
        `base_model_name_or_path is ${JSON.stringify(base)}, which is an adapter itself. Merge that one first: coppice export --to huggingface.`,
        { file: join(folder, ADAPTER_CONFIG) },
      );
    if (await exists(join(place, "config.json"))) return place;
  }
  throw new UserError(
    `base_model_name_or_path is ${JSON.stringify(base)}, and there is no model folder of that name. ` +
      "Download the model that this adapter was trained on, and write its path there.",
    { file: join(folder, ADAPTER_CONFIG) },
  );
}

/**
 * A and B of an adapter's folder, which must have been trained on `base` where it says so.
 * @throws UserError naming the file, and the tensor where one is missing, left over or of another shape.
 */
export async function loadAdapterWeights(
  folder: string,
  lora: Lora,
  config: MarianConfig,
  base: Parameters,
): Promise<Parameters> {
  const file = join(folder, ADAPTER_WEIGHTS);
  const { tensors, metadata } = await readSafetensors(file);
  const trainedOn = metadata[BASE_HASH];
  if (trainedOn !== undefined && trainedOn !== weightsHash(base))
    throw new UserError(
      `this adapter was trained on other weights than those that ${ADAPTER_CONFIG} names as its base. ` +
        "Take both from the same run, or train it again.",
      { file },
    );
  const adapter = new Parameters(loraSpecs(config, lora));
  const unread = new Set(tensors.keys());
  for (const { name, shape } of adapter.specs) {
    const tensor = tensors.get(PREFIX + name);
    unread.delete(PREFIX + name);
    if (!(tensor?.data instanceof Float32Array) || tensor.shape.join() !== shape.join())
      throw new UserError(
        `tensor "${PREFIX}${name}" of shape [${shape}] is missing or has another shape. Adapter and base belong to ` +
          `different models, or ${ADAPTER_CONFIG} to another adapter.`,
        { file },
      );
    adapter.view(name).set(tensor.data);
  }
  for (const name of unread)
    throw new UserError(
      `tensor ${JSON.stringify(name)} has no place in the adapter that ${ADAPTER_CONFIG} describes. Correct that file, ` +
        "or take the tensor out.",
      { file },
    );
  return adapter;
}

/**
 * Writes an adapter as PEFT does. `base` is what `base_model_name_or_path` will say. The same adapter gives the same bytes.
 * @throws UserError if the folder cannot be written.
 */
export async function saveAdapterFolder(
  folder: string,
  adapter: { lora: Lora; dropout: number; weights: Parameters; base: string; baseWeights: Parameters },
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, "be made", folder);
  }
  const { weights } = adapter;
  await writeWhole(join(folder, ADAPTER_CONFIG), [Buffer.from(renderAdapterConfig(adapter))]);
  const tensors = new Map(
    weights.specs.map(({ name, shape }) => [PREFIX + name, { shape, data: weights.view(name) }] as const),
  );
  await writeSafetensors(join(folder, ADAPTER_WEIGHTS), tensors, {
    format: "pt",
    [BASE_HASH]: weightsHash(adapter.baseWeights),
  });
}

/** SHA-256 of all weights in storage order, in hexadecimal: the same for any file that they are read from. */
export function weightsHash({ data }: Parameters): string {
  return createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
}

function renderAdapterConfig({ lora, dropout, base }: { lora: Lora; dropout: number; base: string }): string {
  const json = {
    base_model_name_or_path: base,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: lora.alpha,
    lora_dropout: dropout,
    modules_to_save: null,
    peft_type: "LORA",
    r: lora.rank,
    target_modules: lora.targets,
    task_type: "SEQ_2_SEQ_LM",
    use_dora: false,
    use_rslora: false,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** Keys that change nothing of what an adapter computes, or are read below. */
const HARMLESS = new Set([
  "auto_mapping",
  "base_model_name_or_path",
  "inference_mode",
  "init_lora_weights",
  "loftq_config",
  "lora_alpha",
  "lora_dropout",
  "megatron_core",
  "peft_type",
  "peft_version",
  "qalora_group_size",
  "r",
  "revision",
  "runtime_config",
  "target_modules",
  "task_type",
]);

const schema = z.looseObject({
  peft_type: z.literal("LORA"),
  base_model_name_or_path: z.string().min(1),
  r: z.int().positive().max(65_536),
  lora_alpha: z.number().gt(0).max(1e9),
  target_modules: z.array(z.string()).min(1),
  // PiSSA, OLoRA, LoftQ and CorDA change the base's own weights, which an adapter's folder does not hold.
  init_lora_weights: z.union([z.boolean(), z.enum(["gaussian", "eva", "orthogonal"])]).default(true),
});

function parseAdapterConfig(text: string, file: string): AdapterConfig {
  const refuse = (what: string) => new UserError(what, { file });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse("this is not JSON. Copy the adapter's folder again.");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(
      `${issue!.path.join(".") || "the file"}: ${issue!.message}. Coppice reads LoRA adapters as PEFT saves them.`,
    );
  }
  const { r, lora_alpha, target_modules, base_model_name_or_path: base, ...others } = parsed.data;
  for (const [key, value] of Object.entries(others))
    if (!HARMLESS.has(key) && !isUnset(value))
      throw refuse(
        `${key} is ${shown(value)}, which Coppice does not compute. Merge the adapter in PEFT (merge_and_unload) and save the model.`,
      );
  const targets = target_modules.map((target) => {
    const known = loraTargets.find((name) => name === target);
    if (known === undefined)
      throw refuse(
        `target_modules has ${shown(target)}, but the layers that Coppice adapts are ${loraTargets.join(", ")}. Merge the ` +
          "adapter in PEFT (merge_and_unload) and save the model.",
      );
    return known;
  });
  return { lora: { rank: r, alpha: lora_alpha, targets: inOrder(targets) }, base };
}

/** PEFT's targets are a set. */
function inOrder(targets: readonly LoraTarget[]): LoraTarget[] {
  return loraTargets.filter((target) => targets.includes(target));
}

function isUnset(value: unknown): boolean {
  if (value === null || value === false || value === "none") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
