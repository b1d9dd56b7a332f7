/** `hparams.yaml` of a COMET checkpoint: what kind of model it is and how it is put together. */

import { z } from "zod";
import { UserError } from "../../../errors.js";
import { foreignYaml } from "../../../foreign-yaml.js";
import { readIfThere } from "../../../model/files.js";
import type { Pickled } from "../../../model/pickle.js";

/** The classes of COMET that are read, as `class_identifier` has them. */
const KINDS = {
  unified_metric: "unified",
  referenceless_regression_metric: "referenceless",
  regression_metric: "regression",
} as const;
export type CometKind = (typeof KINDS)[keyof typeof KINDS];

export type Segment = "mt" | "src" | "ref";

export type Activation = "Tanh" | "Sigmoid";

export interface CometSettings {
  readonly kind: CometKind;
  /** The encoder's name on the Hugging Face Hub. */
  readonly pretrained: string;
  /** One hidden state of the encoder (0: the embeddings), or a mixture of all. */
  readonly layer: "mix" | number;
  readonly transformation: "softmax" | "sparsemax";
  /** Whether each sentence's hidden states are normalised before they are mixed. */
  readonly layerNorm: boolean;
  /** What stands for a sentence: the mean over its tokens, or the first of them. */
  readonly pool: "avg" | "cls";
  /** Texts of one sequence of a unified model, in order. */
  readonly segments: readonly Segment[];
  /** Whether the checkpoint also marks errors in words, which is not computed here. */
  readonly wordLevel: boolean;
  /** Widths of the estimator's hidden layers. */
  readonly hidden: readonly number[];
  readonly activation: Activation;
  readonly finalActivation: Activation | undefined;
}

export const HPARAMS = "hparams.yaml";

const width = z.int().positive();
const layer = z.union([z.literal("mix"), z.int().nonnegative()]).default("mix");
/** Whatever is not `sparsemax` is a softmax, to COMET too. */
const transformation = z
  .string()
  .transform((name): CometSettings["transformation"] => (name === "sparsemax" ? name : "softmax"));
const activation = z
  .string()
  .transform((name) => name.charAt(0).toUpperCase() + name.slice(1).toLowerCase())
  .pipe(z.enum(["Tanh", "Sigmoid"]));

const ENCODER = "XLM-RoBERTa";

// Defaults are those of the classes: older files leave keys out.
const common = {
  encoder_model: z.literal(ENCODER).default(ENCODER),
  pretrained_model: z.string().default("xlm-roberta-large"),
  layer_norm: z.boolean().default(true),
  activations: activation.default("Tanh"),
  final_activation: activation.nullable().default(null),
};
const schemas = {
  unified: z.looseObject({
    ...common,
    sent_layer: layer,
    layer_transformation: transformation.default("sparsemax"),
    hidden_sizes: z.array(width).min(1).default([3072, 1024]),
    input_segments: z.array(z.enum(["mt", "src", "ref"])).default(["mt", "src", "ref"]),
    word_level_training: z.boolean().default(false),
  }),
  referenceless: z.looseObject({
    ...common,
    layer,
    layer_transformation: transformation.default("softmax"),
    pool: z.enum(["avg", "cls"]).default("avg"),
    hidden_sizes: z.array(width).min(1).default([2048, 1024]),
  }),
  regression: z.looseObject({
    ...common,
    layer,
    layer_transformation: transformation.default("softmax"),
    pool: z.enum(["avg", "cls"]).default("avg"),
    hidden_sizes: z.array(width).min(1).default([3072, 1024]),
  }),
};

/** What `hparams.yaml` holds; undefined where there is no such file. @throws UserError where it is not YAML of keys. */
export async function readHparams(file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const parsed = z.record(z.string(), z.unknown()).safeParse(foreignYaml(text));
  if (parsed.success) return parsed.data;
  throw new UserError("is not YAML with a key and a value a line; copy the checkpoint's folder again.", {
    file,
  });
}

/** What is read, for whoever has another model. */
const READ =
  "Read are COMETKiwi (wmt22-cometkiwi-da), COMET (wmt22-comet-da) and the older models over XLM-R base or large.";

/**
 * @throws UserError where the file is of a class of COMET or of an encoder that is not computed here, such as XCOMET's and those
 * of the XL and XXL models, whatever the folder is called.
 */
export function refuseOthers(hparams: Readonly<Record<string, unknown>>, file: string): void {
  const { class_identifier: identifier, encoder_model: encoder } = hparams;
  if (identifier === "xcomet_metric")
    throw new UserError(`this is an XCOMET, which is not computed here. ${READ}`, { file });
  if (!kindOf(hparams))
    throw new UserError(
      `class_identifier is ${JSON.stringify(identifier ?? null)}, but only ${Object.keys(KINDS).join(", ")} are computed here. ${READ}`,
      { file },
    );
  if (encoder !== undefined && encoder !== ENCODER)
    throw new UserError(
      `the encoder is ${JSON.stringify(encoder)}, but only ${ENCODER} is computed here. ${READ}`,
      { file },
    );
}

/** Which class of COMET the file is of, if one that is read. */
export function kindOf(hparams: Readonly<Record<string, unknown>>): CometKind | undefined {
  const found = Object.entries(KINDS).find(([identifier]) => identifier === hparams.class_identifier);
  return found?.[1];
}

/**
 * The settings of a checkpoint, whose `hparams.yaml` is `file`. COMET takes the class alone from there, where the checkpoint
 * itself holds settings (`own`).
 *
 * @throws UserError naming the key that is missing, or has a value that is not read.
 */
export function settingsOf(
  hparams: Readonly<Record<string, unknown>>,
  file: string,
  own: { readonly values: Readonly<Record<string, unknown>>; readonly file: string } | undefined,
): CometSettings {
  refuseOthers(hparams, file);
  const kind = kindOf(hparams)!;
  const { values: found, file: place } = own ?? { values: hparams, file };
  // COMETKiwi was meant to have a sparsemax, never had, and was trained with a softmax. What its checkpoint says is wrong; the
  // file was mended in this way (COMET's issue 195).
  const patched = hparams.layer_transformation === "sparsemax_patch";
  const values = patched ? { ...found, layer_transformation: "softmax" } : found;
  if (kind === "unified") {
    const unified = parsed(schemas.unified, values, place);
    if (!SEGMENTS.includes(unified.input_segments.join()))
      throw new UserError(
        `input_segments is [${unified.input_segments.join(", ")}], but must be one of ${SEGMENTS.map((list) => `[${list.replaceAll(",", ", ")}]`).join(", ")}.`,
        { file: place },
      );
    return {
      ...settings(unified, unified.sent_layer),
      kind,
      pool: "cls",
      segments: unified.input_segments,
      wordLevel: unified.word_level_training,
    };
  }
  const regression = parsed(schemas[kind], values, place);
  return {
    ...settings(regression, regression.layer),
    kind,
    pool: regression.pool,
    segments: [],
    wordLevel: false,
  };
}

const SEGMENTS = ["mt,src", "mt,ref", "mt,src,ref"];

function settings(
  found: z.infer<typeof schemas.unified> | z.infer<typeof schemas.regression>,
  chosen: "mix" | number,
) {
  return {
    pretrained: found.pretrained_model,
    layer: chosen,
    transformation: found.layer_transformation,
    layerNorm: found.layer_norm,
    hidden: found.hidden_sizes,
    activation: found.activations,
    finalActivation: found.final_activation ?? undefined,
  };
}

function parsed<T>(schema: z.ZodType<T>, values: unknown, file: string): T {
  const found = schema.safeParse(values);
  if (found.success) return found.data;
  const { path, message } = found.error.issues[0]!;
  throw new UserError(`${path.join(".")}: ${message}. Coppice reads COMET models over XLM-R alone.`, {
    file,
  });
}

/** The hyper-parameters that a checkpoint holds itself, but for what is neither a number, a text nor a list of them. */
export function ownHparams(value: Pickled | undefined): Record<string, unknown> | undefined {
  if (!(value instanceof Map)) return undefined;
  const plain: Record<string, unknown> = {};
  for (const [key, entry] of value) {
    const scalars = Array.isArray(entry) ? entry.every(isScalar) : isScalar(entry);
    if (typeof key === "string" && scalars) plain[key] = entry;
  }
  return plain;
}

function isScalar(value: Pickled): boolean {
  return value === null || ["boolean", "number", "string"].includes(typeof value);
}
