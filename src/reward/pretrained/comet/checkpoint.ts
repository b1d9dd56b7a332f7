/** The folder of a COMET checkpoint: which files it has, and its weights, none missing and none left over. */

import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../../../errors.js";
import { type BertEncoderConfig, bertEncoderSpecs, transformersName } from "../../../model/bert-encoder.js";
import { openSafetensors, type TensorReader } from "../../../model/safetensors.js";
import { openTrainingCheckpoint } from "../../../model/torch-file.js";
import type { ParameterSpec } from "../../../tensor/parameters.js";
import { floats, type Tensor } from "../../../tensor/program.js";
import { encoderConfig } from "./encoder.js";
import { featureWidth } from "./features.js";
import { ENCODER, estimatorSpecs } from "./graph.js";
import { softmaxOf, sparsemaxOf } from "./mixture.js";
import { type CometSettings, HPARAMS, ownHparams, readHparams, settingsOf } from "./settings.js";

/** In the order in which they are looked for; the last is where the oldest models have it. */
const WEIGHTS = ["model.safetensors", "checkpoints/model.ckpt", "model.ckpt"] as const;

/** Everything but the weights. */
export interface CometModel {
  readonly settings: CometSettings;
  readonly config: BertEncoderConfig;
  readonly hparamsFile: string;
  readonly weightsFile: string;
  /** The encoder's configuration, where its sizes come from a file. */
  readonly configFile: string | undefined;
}

/** The file of weights. @throws UserError where there is none. */
export async function weightsFile(folder: string): Promise<string> {
  for (const name of WEIGHTS) {
    const file = join(folder, name);
    if ((await stat(file).catch(() => undefined))?.isFile()) return file;
  }
  throw new UserError(
    "there is no such file. A COMET checkpoint has hparams.yaml and checkpoints/model.ckpt, or model.safetensors; copy the whole folder.",
    { file: join(folder, WEIGHTS[1]) },
  );
}

/**
 * Reads what a checkpoint is, without its numbers; `tokenizer` is the file of its tokenizer, beside which the encoder's
 * `config.json` is looked for first.
 *
 * @throws UserError naming the file and the key that is missing or not read.
 */
export async function readModel(folder: string, tokenizer: string): Promise<CometModel> {
  const hparamsFile = join(folder, HPARAMS);
  const hparams = await readHparams(hparamsFile);
  if (!hparams)
    throw new UserError("there is no such file. Copy the checkpoint's whole folder, as it was published.", {
      file: hparamsFile,
    });
  const weights = await weightsFile(folder);
  const own = await hparamsWithin(weights);
  const settings = settingsOf(hparams, hparamsFile, own && { values: own, file: weights });
  const { config, file } = await encoderConfig([dirname(tokenizer), folder], settings.pretrained);
  return { settings, config, hparamsFile, weightsFile: weights, configFile: file };
}

async function hparamsWithin(file: string): Promise<Record<string, unknown> | undefined> {
  if (file.endsWith(".safetensors")) return undefined;
  const checkpoint = await openTrainingCheckpoint(file);
  await checkpoint.close();
  return ownHparams(checkpoint.others.get("hyper_parameters"));
}

export interface CometWeights {
  /** By the names in the graphs. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** What each hidden state of the encoder counts. */
  readonly mixture: readonly number[];
}

/**
 * Reads the weights.
 *
 * @throws UserError naming the file and the tensor that is missing, superfluous or of another shape.
 */
export async function readWeights({
  settings,
  config,
  weightsFile: file,
}: CometModel): Promise<CometWeights> {
  const reader = await (file.endsWith(".safetensors") ? openSafetensors(file) : openTrainingCheckpoint(file));
  try {
    const wanted = new Map<string, ParameterSpec>();
    for (const spec of bertEncoderSpecs(config))
      wanted.set(`encoder.model.${transformersName(spec.name)}`, { ...spec, name: ENCODER + spec.name });
    for (const spec of estimatorSpecs(settings, featureWidth(settings.kind, config.width)))
      wanted.set(spec.name, spec);
    const states = config.layers + 1;
    const mixed = settings.layer === "mix" ? Array.from({ length: states }, (_, l) => scalarName(l)) : [];
    for (const name of settings.layer === "mix" ? [...mixed, GAMMA] : [])
      wanted.set(name, { name, shape: [1], decay: false });
    compareNames(reader, wanted, settings, file);

    const tensors: Record<string, Tensor> = {};
    const scalars = new Map<string, number>();
    for (const [name, spec] of wanted) {
      const data = await reader.read(name);
      if (!(data instanceof Float32Array))
        throw new UserError(`tensor "${name}" holds whole numbers, expected real ones.`, { file });
      if (name.startsWith("layerwise_attention.")) scalars.set(name, data[0]!);
      else tensors[spec.name] = floats(data, spec.shape);
    }
    return { tensors, mixture: mixtureOf(settings, states, scalars, file) };
  } finally {
    await reader.close();
  }
}

const GAMMA = "layerwise_attention.gamma";

function scalarName(layer: number): string {
  return `layerwise_attention.scalar_parameters.${layer}`;
}

function mixtureOf(
  { layer, transformation }: CometSettings,
  states: number,
  scalars: ReadonlyMap<string, number>,
  file: string,
): number[] {
  if (layer !== "mix") {
    if (layer >= states)
      throw new UserError(
        `layer ${layer} of the encoder is asked for, which has ${states} with embeddings.`,
        {
          file,
        },
      );
    return Array.from({ length: states }, (_, l) => Number(l === layer));
  }
  const scores = Array.from({ length: states }, (_, l) => scalars.get(scalarName(l))!);
  const gamma = scalars.get(GAMMA)!;
  const weights = transformation === "sparsemax" ? sparsemaxOf(scores) : softmaxOf(scores);
  return weights.map((weight) => gamma * weight);
}

/** What a checkpoint may hold that no score follows from. */
const UNUSED = [
  /^encoder\.model\.embeddings\.(?:position_ids|token_type_ids)$/,
  // The encoder's own head of an older Transformers.
  /^encoder\.model\.pooler\.dense\.(?:weight|bias)$/,
  /^layerwise_attention\.dropout_(?:mask|fill)$/,
];
/** And those of marking errors in words. */
const WORD_LEVEL = /^(?:hidden2tag\.(?:weight|bias)|wordloss\.weight)$/;

function compareNames(
  reader: TensorReader,
  wanted: ReadonlyMap<string, ParameterSpec>,
  settings: CometSettings,
  file: string,
): void {
  for (const [name, { shape }] of wanted) {
    const found = reader.shapes.get(name);
    if (!found)
      throw new UserError(
        `tensor "${name}" of shape [${shape}] is missing. Copy the checkpoint again, or correct ${HPARAMS} and the encoder's config.json.`,
        { file },
      );
    if (found.length !== shape.length || shape.some((size, axis) => size !== found[axis]))
      throw new UserError(
        `tensor "${name}" has shape [${found}], but [${shape}] was expected. The weights, ${HPARAMS} and the encoder's config.json belong to different models.`,
        { file },
      );
  }
  for (const name of reader.shapes.keys()) {
    const unused =
      UNUSED.some((pattern) => pattern.test(name)) || (settings.wordLevel && WORD_LEVEL.test(name));
    if (!wanted.has(name) && !unused)
      throw new UserError(
        `tensor "${name}" has no place in the model that ${HPARAMS} and the encoder's config.json describe. They belong to different models.`,
        { file },
      );
  }
}
