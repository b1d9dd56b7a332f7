/**
 * A model in the layout of Marian itself, as OPUS-MT gives its models away: weights and settings in one `.npz`, the search's
 * settings in `decoder.yml`. What is read, and what it becomes, is what Transformers' own converter makes of such a folder
 * (`convert_marian_to_pytorch.py` of Transformers 4.44).
 */

import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { foreignYaml } from "../foreign-yaml.js";
import { Parameters } from "../tensor/parameters.js";
import type { MarianConfig } from "./config.js";
import { readIfThere } from "./files.js";
import { parameterSpecs, sourceEmbedding, targetEmbedding } from "./marian.js";
import { type NpzArray, readNpz } from "./npz.js";

const DECODER = "decoder.yml";
const SETTINGS = "special:model.yml";
const BIAS = "decoder_ff_logit_out_b";
/** Marian's own table of positions has no end. Transformers' is as long as the model is wide. */
const POSITIONS = 512;
/** Marian's id of `</s>` in every vocabulary. */
const END = 0;
/** OPUS-MT's; no file says what a model was trained with. */
const DROPOUT = 0.1;

const count = z.int().positive();
const schema = z.looseObject({
  type: z.literal("transformer"),
  "dim-emb": count,
  "dim-vocabs": z.tuple([count, count]),
  "enc-depth": count,
  "dec-depth": count,
  "transformer-heads": count,
  "transformer-dim-ffn": count,
  "transformer-ffn-activation": z.enum(["swish", "relu"]),
  "tied-embeddings": z.boolean().default(false),
  "tied-embeddings-all": z.boolean().default(false),
  "tied-embeddings-src": z.boolean().default(false),
});
type Settings = z.infer<typeof schema>;

/** Settings that change what the network computes, with the values that Coppice computes. */
const computed: Readonly<Record<string, readonly unknown[]>> = {
  "input-types": [],
  "layer-normalization": [false],
  "lemma-dim-emb": [0],
  "output-omit-bias": [false],
  "right-left": [false],
  "transformer-decoder-autoreg": ["self-attention"],
  "transformer-decoder-dim-ffn": [0],
  "transformer-decoder-ffn-depth": [0, 2],
  "transformer-ffn-depth": [2],
  "transformer-no-affine": [false],
  "transformer-no-bias": [false],
  "transformer-no-projection": [false],
  "transformer-postprocess": ["dan"],
  "transformer-postprocess-emb": ["d", ""],
  "transformer-postprocess-top": [""],
  "transformer-preprocess": [""],
  "transformer-tied-layers": [],
  "transformer-train-position-embeddings": [false],
  ulr: [false],
  "ulr-dim-emb": [0],
};

const decoderSchema = z.looseObject({
  models: z.array(z.string()).nullish(),
  "beam-size": count.nullish(),
  normalize: z.number().nullish(),
  "word-penalty": z.literal(0).nullish(),
});
type Decoder = z.infer<typeof decoderSchema>;

/** The `.npz` files of a folder that is in Marian's own layout; none where it has a `config.json`, or other weights. */
export async function npzFiles(folder: string): Promise<string[]> {
  // A folder that is not there is told by who reads a file of it.
  const names: string[] = await readdir(folder).catch(() => []);
  if (names.some((name) => /^(?:config\.json|.*\.safetensors|pytorch_model.*\.bin)$/.test(name))) return [];
  return names.filter((name) => name.endsWith(".npz")).sort();
}

/**
 * Reads the network of a folder with the `.npz` files `names`.
 *
 * As in Transformers' converter the vocabulary grows by a last token, `<pad>`, whose embedding and bias are zero and which starts
 * the decoder as nothing does in Marian.
 *
 * @throws UserError naming the file, and the setting or array, where one is missing, left over, of another shape, or asks for a
 * network that is not computed here.
 */
export async function loadMarianNpz(
  folder: string,
  names: readonly string[],
): Promise<{ config: MarianConfig; parameters: Parameters }> {
  const decoder = await readDecoder(join(folder, DECODER));
  const file = join(folder, chosen(names, decoder, folder));
  const arrays = await readNpz(file);
  const config = configOf(settingsOf(arrays, file), arrays, decoder, file);
  return { config, parameters: assemble(config, arrays, file) };
}

async function readDecoder(file: string): Promise<Decoder> {
  const text = await readIfThere(file);
  if (text === undefined)
    throw new UserError(
      "there is no such file. A folder of Marian's has decoder.yml beside its .npz; copy it again.",
      { file },
    );
  return parsed(decoderSchema, text, file, "");
}

/** The model of several, where decoder.yml names one of them. */
function chosen(names: readonly string[], decoder: Decoder, folder: string): string {
  const [first, ...others] = names;
  if (first !== undefined && others.length === 0) return first;
  const named = new Set((decoder.models ?? []).map((path) => basename(path)));
  const [one, ...more] = names.filter((name) => named.has(name));
  if (one !== undefined && more.length === 0) return one;
  throw new UserError(
    `has ${names.length} .npz files, of which ${DECODER} names ${one === undefined ? "none" : 1 + more.length}. ` +
      "Coppice reads one model: leave its .npz alone here.",
    { file: folder },
  );
}

function settingsOf(arrays: Map<string, NpzArray>, file: string): Settings {
  const found = arrays.get(SETTINGS);
  if (!(found?.data instanceof Uint8Array))
    throw new UserError(`has no text ${SETTINGS}, in which Marian writes a model's settings.`, { file });
  // A zero byte ends it, as a text of C.
  const text = Buffer.from(found.data).toString("utf8").replace(/\0+$/, "");
  const settings = parsed(schema, text, file, `${SETTINGS}: `);
  for (const [key, values] of Object.entries(computed)) {
    const value = settings[key];
    if (value === undefined || values.includes(value) || (Array.isArray(value) && value.length === 0))
      continue;
    throw new UserError(
      `${SETTINGS}: ${key} is ${JSON.stringify(value)}, but only ${values.length === 0 ? "an empty list" : values.map((one) => JSON.stringify(one)).join(" or ")} is computed here.`,
      { file },
    );
  }
  return settings;
}

function parsed<T>(schema: z.ZodType<T>, text: string, file: string, where: string): T {
  const content = foreignYaml(text);
  if (content === undefined || content === null)
    throw new UserError(`${where}this is not YAML with a key and a value a line; copy the folder again.`, {
      file,
    });
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new UserError(
    `${where}${path.join(".") || "the file"}: ${message}. Coppice does not compute another model.`,
    { file },
  );
}

function configOf(
  settings: Settings,
  arrays: ReadonlyMap<string, NpzArray>,
  decoder: Decoder,
  file: string,
): MarianConfig {
  const shared = settings["tied-embeddings-all"] || settings["tied-embeddings-src"];
  const invalid = (what: string) => new UserError(`${SETTINGS}: ${what}`, { file });
  if (!settings["tied-embeddings-all"] && !settings["tied-embeddings"])
    throw invalid(
      "neither tied-embeddings-all nor tied-embeddings is true, but only a model whose output shares the target's embeddings is computed here.",
    );
  const [words, targetWords] = settings["dim-vocabs"];
  if (words !== targetWords)
    throw invalid(
      `dim-vocabs is [${words}, ${targetWords}], but <pad> needs one id: two sizes are not read.`,
    );
  const [width, heads] = [settings["dim-emb"], settings["transformer-heads"]];
  if (width % heads !== 0) throw invalid(`dim-emb ${width} does not divide into ${heads} attention heads.`);
  // Sizes that the arrays bear out, before there is memory for them.
  for (const [key, array, axis, size] of [
    ["dim-vocabs", shared ? "Wemb" : "encoder_Wemb", 0, words],
    ["dim-emb", shared ? "Wemb" : "encoder_Wemb", 1, width],
    ["transformer-dim-ffn", "encoder_l1_ffn_W1", 1, settings["transformer-dim-ffn"]],
  ] as const) {
    const shape = arrays.get(array)?.shape;
    if (shape === undefined) throw missing(array, file);
    if (shape[axis] !== size)
      throw invalid(`${key} is ${size}, but array "${array}" has shape [${shape}]. Copy the folder again.`);
  }
  for (const [key, side] of [
    ["enc-depth", "encoder"],
    ["dec-depth", "decoder"],
  ] as const) {
    const depth = depthOf(arrays, side);
    if (depth !== settings[key])
      throw invalid(
        `${key} is ${settings[key]}, but the file has ${depth} layers of the ${side}. Copy the folder again.`,
      );
  }
  return {
    vocabulary: words + 1,
    targetVocabulary: words + 1,
    sharedEmbeddings: shared,
    width,
    encoderLayers: settings["enc-depth"],
    decoderLayers: settings["dec-depth"],
    encoderInner: settings["transformer-dim-ffn"],
    decoderInner: settings["transformer-dim-ffn"],
    encoderHeads: heads,
    decoderHeads: heads,
    activation: settings["transformer-ffn-activation"],
    scaleEmbedding: true,
    maxPositions: Math.max(POSITIONS, width),
    eosId: END,
    padId: words,
    decoderStartId: words,
    dropout: DROPOUT,
    generation: {
      beams: decoder["beam-size"] ?? 1,
      maxLength: POSITIONS,
      lengthPenalty: decoder.normalize ?? 1,
      forceEnd: true,
      forbidden: [words],
      renormalise: false,
    },
  };
}

function depthOf(arrays: ReadonlyMap<string, NpzArray>, side: "encoder" | "decoder"): number {
  let depth = 0;
  while (arrays.has(`${side}_l${depth + 1}_self_Wq`)) depth++;
  return depth;
}

/** Marian's names for the parts of a layer. */
const PARTS: Readonly<Record<string, string>> = {
  "self_attn.q_proj.weight": "self_Wq",
  "self_attn.k_proj.weight": "self_Wk",
  "self_attn.v_proj.weight": "self_Wv",
  "self_attn.out_proj.weight": "self_Wo",
  "self_attn.q_proj.bias": "self_bq",
  "self_attn.k_proj.bias": "self_bk",
  "self_attn.v_proj.bias": "self_bv",
  "self_attn.out_proj.bias": "self_bo",
  "self_attn_layer_norm.weight": "self_Wo_ln_scale",
  "self_attn_layer_norm.bias": "self_Wo_ln_bias",
  "encoder_attn.q_proj.weight": "context_Wq",
  "encoder_attn.k_proj.weight": "context_Wk",
  "encoder_attn.v_proj.weight": "context_Wv",
  "encoder_attn.out_proj.weight": "context_Wo",
  "encoder_attn.q_proj.bias": "context_bq",
  "encoder_attn.k_proj.bias": "context_bk",
  "encoder_attn.v_proj.bias": "context_bv",
  "encoder_attn.out_proj.bias": "context_bo",
  "encoder_attn_layer_norm.weight": "context_Wo_ln_scale",
  "encoder_attn_layer_norm.bias": "context_Wo_ln_bias",
  "fc1.weight": "ffn_W1",
  "fc1.bias": "ffn_b1",
  "fc2.weight": "ffn_W2",
  "fc2.bias": "ffn_b2",
  "final_layer_norm.weight": "ffn_ffn_ln_scale",
  "final_layer_norm.bias": "ffn_ffn_ln_bias",
};

/** What the weight `name` is called in Marian. */
function marianName(config: MarianConfig, name: string): string {
  if (name === "final_logits_bias") return BIAS;
  if (name === sourceEmbedding(config)) return config.sharedEmbeddings ? "Wemb" : "encoder_Wemb";
  if (name === targetEmbedding(config)) return "decoder_Wemb";
  const [, side, layer, part] = /^model\.(encoder|decoder)\.layers\.(\d+)\.(.+)$/.exec(name) ?? [];
  return `${side}_l${Number(layer) + 1}_${PARTS[part!]}`;
}

function assemble(config: MarianConfig, arrays: ReadonlyMap<string, NpzArray>, file: string): Parameters {
  const parameters = new Parameters(parameterSpecs(config));
  const unread = new Set(arrays.keys());
  unread.delete(SETTINGS);
  for (const { name, shape } of parameters.specs) {
    const marian = marianName(config, name);
    const found = arrays.get(marian);
    if (!found) throw missing(marian, file);
    unread.delete(marian);
    const { data } = found;
    if (!(data instanceof Float32Array))
      throw new UserError(`array "${marian}" holds bytes, expected real numbers.`, { file });
    const expected = shapeInMarian(marian, shape);
    // A vector is a matrix of one row in Marian; other writers leave the row out.
    const theirs = expected[0] === 1 && found.shape.length === 1 ? [1, ...found.shape] : found.shape;
    if (theirs.length !== 2 || theirs.some((size, axis) => size !== expected[axis]))
      throw new UserError(
        `array "${marian}" has shape [${found.shape}], but ${SETTINGS} asks for [${expected}]. Copy the folder again.`,
        { file },
      );
    // What is longer by <pad> keeps its zeros there.
    if (isOfWords(marian) || expected[0] === 1) parameters.view(name).set(data);
    else transpose(data, expected[0], expected[1], parameters.view(name));
  }
  for (const name of unread)
    throw new UserError(
      `array ${JSON.stringify(name)} has no place in the network that ${SETTINGS} describes; no such model is computed here.`,
      { file },
    );
  return parameters;
}

function isOfWords(marian: string): boolean {
  return marian.endsWith("Wemb") || marian === BIAS;
}

/** [rows, columns] in the file of what has `shape` here: without `<pad>`, and matrices the other way round. */
function shapeInMarian(marian: string, shape: readonly number[]): readonly [number, number] {
  const [first, second] = shape as [number, number | undefined];
  if (second === undefined) return [1, first];
  if (marian === BIAS) return [first, second - 1];
  return marian.endsWith("Wemb") ? [first - 1, second] : [second, first];
}

function missing(array: string, file: string): UserError {
  return new UserError(
    `array "${array}" is missing: the file is damaged, or its model is not one that is computed here.`,
    {
      file,
    },
  );
}

/** Writes the [rows, columns] of `from` as [columns, rows]: Marian multiplies from the other side. */
function transpose(from: Float32Array, rows: number, columns: number, to: Float32Array): void {
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) to[column * rows + row] = from[row * columns + column]!;
}
