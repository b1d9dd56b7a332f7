/**
 * The folder of a BLEURT checkpoint, in either of two layouts: as it is published, a TensorFlow SavedModel with
 * `bleurt_config.json`; or as its PyTorch port keeps it, with `config.json` (github.com/lucadiliello/bleurt-pytorch).
 */

import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../../errors.js";
import { exists } from "../../../exists.js";
import { checkpointFiles } from "../../../model/checkpoint.js";
import { readIfThere } from "../../../model/files.js";
import { bundleFiles } from "../../../model/tensor-bundle.js";
import { tokenizerFile } from "../../../text/piece-tokenizer.js";

/** Sizes that a configuration names. How wide the embeddings are, the weights tell. */
export interface BleurtSizes {
  readonly vocabulary: number;
  readonly positions: number;
  readonly types: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly inner: number;
}

export interface BleurtFolder {
  readonly folder: string;
  readonly layout: "published" | "port";
  readonly sizes: BleurtSizes;
  /** What the configuration calls the activation. */
  readonly activation: Activation;
  /** Ids of a pair at most, the special ones among them. */
  readonly maxLength: number;
  /** The SentencePiece model. */
  readonly pieces: string;
  /** All files that scores follow from. */
  readonly files: readonly string[];
}

const BLEURT_CONFIG = "bleurt_config.json";
const CONFIG = "config.json";
/** The variables of a published checkpoint, without `.index`. */
export const VARIABLES = join("variables", "variables");
export const SAVED_MODEL = "saved_model.pb";

const activation = z.enum(["gelu", "gelu_new", "gelu_pytorch_tanh", "relu"]);
export type Activation = z.infer<typeof activation>;

const size = z.int().positive();
const encoderSchema = z
  .looseObject({
    vocab_size: size,
    hidden_size: size,
    num_hidden_layers: size.max(1000),
    num_attention_heads: size,
    intermediate_size: size,
    max_position_embeddings: size.min(4),
    type_vocab_size: size.min(2),
    hidden_act: activation,
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0, {
    path: ["hidden_size"],
    message: "must be a multiple of num_attention_heads",
  });
type Encoder = z.infer<typeof encoderSchema>;

const fileName = z.string().regex(/^[^\\/]+$/, "must be a file of this folder");
const bleurtSchema = z.looseObject({
  max_seq_length: size.min(4),
  bert_config_file: fileName.default("bert_config.json"),
  sp_model: fileName.nullish(),
});
const portSchema = z.looseObject({ model_type: z.literal("bleurt") });

/** Whether the folder looks like BLEURT's, of whatever year; reads small files alone and throws for none. */
export async function isBleurtFolder(folder: string): Promise<boolean> {
  if (await exists(join(folder, BLEURT_CONFIG)).catch(() => false)) return true;
  const config = await readJson(join(folder, CONFIG)).catch(() => undefined);
  return portSchema.safeParse(config).success;
}

/**
 * Reads the configuration of a folder, and finds its files.
 * @throws UserError naming the file and the key that is missing or not supported; for a checkpoint of 2020, with another kind of
 * tokenizer, saying which are read.
 */
export async function readBleurtFolder(folder: string, tokenizer?: string): Promise<BleurtFolder> {
  const file = join(folder, BLEURT_CONFIG);
  const published = await readJson(file);
  if (published === undefined) return readPort(folder, tokenizer);
  const { max_seq_length: maxLength, bert_config_file, sp_model } = parse(bleurtSchema, published, file);
  if (typeof sp_model !== "string") throw wordPieceError(file);
  const configFile = join(folder, bert_config_file);
  const encoder = parse(encoderSchema, await needJson(configFile), configFile);
  if (maxLength > encoder.max_position_embeddings)
    throw new UserError(
      `max_seq_length is ${maxLength}, but ${bert_config_file} has ${encoder.max_position_embeddings} positions. Copy the checkpoint's folder again.`,
      { file },
    );
  const pieces = await tokenizerFile(folder, tokenizer, [`${sp_model}.model`]);
  const graph = join(folder, SAVED_MODEL);
  const variables = bundleFiles(join(folder, VARIABLES));
  for (const needed of [graph, ...variables])
    if (!(await exists(needed)))
      throw new UserError("there is no such file. Copy the checkpoint's folder again, whole.", {
        file: needed,
      });
  return {
    folder,
    layout: "published",
    sizes: sizesOf(encoder),
    activation: encoder.hidden_act,
    maxLength,
    pieces,
    files: [file, configFile, graph, ...variables, pieces],
  };
}

async function readPort(folder: string, tokenizer: string | undefined): Promise<BleurtFolder> {
  const file = join(folder, CONFIG);
  const config = await readJson(file);
  if (config === undefined)
    throw new UserError(
      `there is no such file, nor ${CONFIG}. Name the folder of a BLEURT checkpoint as it was published.`,
      { file: join(folder, BLEURT_CONFIG) },
    );
  parse(portSchema, config, file);
  if (await exists(join(folder, "vocab.txt"))) throw wordPieceError(file);
  const encoder = parse(encoderSchema, config, file);
  const pieces = await tokenizerFile(folder, tokenizer, ["spm.model", "sent_piece.model"]);
  return {
    folder,
    layout: "port",
    sizes: sizesOf(encoder),
    activation: encoder.hidden_act,
    maxLength: encoder.max_position_embeddings,
    pieces,
    files: [file, ...(await checkpointFiles(folder)), pieces],
  };
}

function wordPieceError(file: string): UserError {
  return new UserError(
    "this is a BLEURT of 2020, with a WordPiece vocabulary (BLEURT-Tiny, -Base or -Large, English alone). BLEURT-20, BLEURT-20-D12, BLEURT-20-D6 and BLEURT-20-D3 are read here: download one of them.",
    { file },
  );
}

function sizesOf(encoder: Encoder): BleurtSizes {
  return {
    vocabulary: encoder.vocab_size,
    positions: encoder.max_position_embeddings,
    types: encoder.type_vocab_size,
    width: encoder.hidden_size,
    layers: encoder.num_hidden_layers,
    heads: encoder.num_attention_heads,
    inner: encoder.intermediate_size,
  };
}

function parse<T>(schema: z.ZodType<T>, json: unknown, file: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new UserError(
    `${path.join(".") || "the file"} is not as BLEURT-20 has it (${message}). Copy the checkpoint's folder again.`,
    { file },
    { cause: parsed.error },
  );
}

async function needJson(file: string): Promise<unknown> {
  const json = await readJson(file);
  if (json !== undefined) return json;
  throw new UserError("there is no such file. Copy the checkpoint's folder again.", { file });
}

/** Undefined where there is no such file. */
async function readJson(file: string): Promise<unknown> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError("is not JSON (cut short?). Copy the checkpoint's folder again.", { file }, { cause });
  }
}
