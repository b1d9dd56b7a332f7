/**
 * COMET (Rei et al. 2020, 2022): XLM-R fine-tuned to predict human ratings. Read are `UnifiedMetric` (COMETKiwi),
 * `ReferencelessRegression` (COMET-QE) and `RegressionMetric` (COMET), as COMET 2.2.7 computes them.
 */

import { extname, join } from "node:path";
import { UserError } from "../../../errors.js";
import type { Remote, Thread } from "../../../tensor/thread.js";
import type { RewardInput } from "../../reward.js";
import { askScores } from "../ask.js";
import type {
  KnownScores,
  PretrainedFamily,
  PretrainedOptions,
  PretrainedScore,
  PretrainedScorer,
  Scale,
  ScoreOptions,
} from "../family.js";
import { packSequences } from "../packed.js";
import { type CometModel, readModel } from "./checkpoint.js";
import { type CometKind, HPARAMS, readHparams, refuseOthers } from "./settings.js";
import { loadTokenizer, type Sequences, sequencesOf, tokenizerFile } from "./text.js";
import { rewardOf, type VariantName, variantFacts, variantNames, variantOf } from "./variants.js";
import type { OpenArgs, ScoreRequest } from "./worker.js";

/** The module that the worker thread opens. */
const WORKER = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/** Inputs of one call to the worker: enough to sort by length, few enough that what lies between stays small. */
const CALL = 512;

/**
 * The model cards print no scores. These are what COMET's first author got, in its issue 190 (8 January 2024); in issue 55 he
 * calls differences of some 6e-4 usual.
 */
const KNOWN: readonly KnownScores[] = [
  {
    variant: "wmt22-comet-da",
    inputs: [
      {
        source: "10 到 15 分钟可以送到吗",
        candidate: "Can I receive my food in 10 to 15 minutes?",
        reference: "Can it be delivered between 10 to 15 minutes?",
      },
      {
        source: "Pode ser entregue dentro de 10 a 15 minutos?",
        candidate: "Can you send it for 10 to 15 minutes?",
        reference: "Can it be delivered between 10 to 15 minutes?",
      },
    ],
    raw: [0.84171, 0.77454],
    tolerance: 6e-4,
  },
];

export const comet: PretrainedFamily = {
  name: "comet",
  variants: variantNames,
  known: KNOWN,
  recognises: async (folder) => {
    const hparams = await readHparams(join(folder, HPARAMS)).catch(() => undefined);
    return hparams !== undefined && "class_identifier" in hparams;
  },
  files: async (folder, options) => {
    await variantIn(folder, options);
    const tokenizer = await tokenizerOf(folder, options);
    const { hparamsFile, weightsFile, configFile } = await readModel(folder, tokenizer);
    return [hparamsFile, weightsFile, ...(configFile === undefined ? [] : [configFile]), tokenizer];
  },
  open: (thread, folder, options) => Comet.load(thread, folder, options),
};

/** Before a variant is asked for: no variant makes an XCOMET one that is read. */
async function variantIn(folder: string, { variant }: PretrainedOptions): Promise<VariantName> {
  const file = join(folder, HPARAMS);
  const hparams = await readHparams(file);
  if (hparams) refuseOthers(hparams, file);
  return variantOf(folder, variant);
}

async function tokenizerOf(folder: string, { tokenizer }: PretrainedOptions): Promise<string> {
  const hparams = await readHparams(join(folder, HPARAMS));
  const pretrained = hparams?.pretrained_model;
  return tokenizerFile(folder, tokenizer, typeof pretrained === "string" ? pretrained : "xlm-roberta-large");
}

class Comet implements PretrainedScorer {
  readonly name: string;
  readonly variant: VariantName;
  readonly needsReference: boolean;
  readonly needsSource: boolean;
  readonly licence: string;
  readonly #remote: Remote;
  readonly #sequences: Sequences;
  readonly scale: Scale;
  readonly #batchTokens: number | undefined;

  private constructor(
    remote: Remote,
    sequences: Sequences,
    { settings }: CometModel,
    variant: VariantName,
    { batchTokens }: PretrainedOptions,
  ) {
    const { scale, licence } = variantFacts(variant);
    const { kind, segments } = settings;
    this.name = variant;
    this.variant = variant;
    this.licence = licence;
    this.needsReference = kind === "regression" || segments.includes("ref");
    this.needsSource = kind !== "unified" || segments.includes("src");
    this.#remote = remote;
    this.#sequences = sequences;
    // Some older models end in a sigmoid, and score between 0 and 1 already.
    this.scale = settings.finalActivation === "Sigmoid" ? "unit" : scale;
    this.#batchTokens = batchTokens;
  }

  static async load(thread: Thread, folder: string, options: PretrainedOptions): Promise<Comet> {
    const variant = await variantIn(folder, options);
    const file = await tokenizerOf(folder, options);
    const model = await readModel(folder, file);
    const { kind, mixture } = variantFacts(variant);
    if (kind && kind !== model.settings.kind)
      throw new UserError(
        `the checkpoint is a ${CLASSES[model.settings.kind]}, but ${variant} is a ${CLASSES[kind]}. Give the variant that it is (--variant).`,
        { file: model.hparamsFile },
      );
    const tokenizer = await loadTokenizer(file);
    const { vocabulary, positions } = model.config;
    if (tokenizer.size !== vocabulary)
      throw new UserError(
        `has ${tokenizer.size} tokens, but the encoder knows ${vocabulary}. Take the tokenizer of ${model.settings.pretrained}.`,
        { file },
      );
    const settings = { ...model.settings, ...(mixture && { transformation: mixture }) };
    const remote = await thread.open(WORKER, { ...model, settings } satisfies OpenArgs);
    return new Comet(remote, sequencesOf(tokenizer, settings, positions), model, variant, options);
  }

  async score(
    batch: readonly RewardInput[],
    { onProgress, signal }: ScoreOptions = {},
  ): Promise<PretrainedScore[]> {
    const missing = this.needsReference && batch.find(({ reference }) => reference === undefined);
    if (missing)
      throw new UserError(
        `${this.variant} compares with a reference, and source ${JSON.stringify(missing.source)} has none; give it one, or use a COMET that needs none.`,
      );
    const scores: PretrainedScore[] = [];
    for (let start = 0; start < batch.length; start += CALL) {
      const inputs = batch.slice(start, start + CALL);
      const request = this.#request(inputs);
      const raw = await askScores(this.#remote, request, {
        onProgress: (encoded) => {
          const part = encoded / request.sequences.lengths.length;
          onProgress?.(start + Math.floor(part * inputs.length));
        },
        ...(signal && { signal }),
      });
      for (const score of raw) scores.push({ raw: score, reward: rewardOf(score, this.scale) });
    }
    return scores;
  }

  close(): Promise<void> {
    return this.#remote.release();
  }

  /** Each different sequence once: the candidates of a source share its pass through the encoder. */
  #request(inputs: readonly RewardInput[]): ScoreRequest {
    const placeOf = new Map<string, number>();
    const sequences: number[][] = [];
    const places = inputs.flatMap((input) =>
      this.#sequences(input).map((sequence) => {
        const key = sequence.join();
        const place = placeOf.get(key) ?? sequences.length;
        if (place === sequences.length) {
          placeOf.set(key, place);
          sequences.push(sequence);
        }
        return place;
      }),
    );
    return {
      sequences: packSequences(sequences),
      places: Int32Array.from(places),
      perInput: places.length / inputs.length,
      ...(this.#batchTokens !== undefined && { batchTokens: this.#batchTokens }),
    };
  }
}

const CLASSES: Readonly<Record<CometKind, string>> = {
  unified: "UnifiedMetric",
  referenceless: "ReferencelessRegression",
  regression: "RegressionMetric",
};
