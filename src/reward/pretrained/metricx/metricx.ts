/** MetricX (Juraska et al. 2023, 2024): mT5 fine-tuned on human ratings to predict the MQM error score of a translation. */

import { extname, join } from "node:path";
import { UserError } from "../../../errors.js";
import { checkpointFiles } from "../../../model/checkpoint.js";
import { isMt5Config } from "../../../model/mt5.js";
import { CONFIG, readConfigJson } from "../../../model/mt5-folder.js";
import type { Remote, Thread } from "../../../tensor/thread.js";
import { loadPieceTokenizer, type PieceTokenizer, tokenizerFile } from "../../../text/piece-tokenizer.js";
import type { RewardInput } from "../../reward.js";
import { askScores } from "../ask.js";
import type {
  PretrainedFamily,
  PretrainedOptions,
  PretrainedScore,
  PretrainedScorer,
  ScoreOptions,
} from "../family.js";
import { packSequences } from "../packed.js";
import { VARIANTS, type Variant, type VariantName, variantNames, variantOf } from "./variants.js";
import type { OpenArgs, ScoreRequest } from "./worker.js";

/** The module that the worker thread opens. */
export const WORKER = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

const TOKENIZERS = ["spiece.model", "tokenizer.json"];

/** Worst score of MQM's scale; the published program cuts at 0 and here. */
const WORST = 25;

export const metricx: PretrainedFamily = {
  name: "metricx",
  variants: variantNames,
  // Neither the papers nor the model cards print the score of a sentence.
  known: [],
  recognises: async (folder) => isMt5Config(await readConfigJson(folder).catch(() => undefined)),
  files: async (folder, { variant, tokenizer }) => {
    variantOf(folder, variant);
    return [
      join(folder, CONFIG),
      ...(await checkpointFiles(folder)),
      await tokenizerFile(folder, tokenizer, TOKENIZERS),
    ];
  },
  open: async (thread, folder, options) => MetricX.load(thread, folder, options),
};

class MetricX implements PretrainedScorer {
  readonly name: string;
  readonly variant: VariantName;
  readonly needsReference: boolean;
  readonly needsSource: boolean;
  readonly licence = "Apache-2.0";
  readonly #remote: Remote;
  readonly #tokenizer: PieceTokenizer;
  readonly #batchTokens: number | undefined;

  private constructor(
    remote: Remote,
    tokenizer: PieceTokenizer,
    variant: VariantName,
    batchTokens: number | undefined,
  ) {
    this.name = variant;
    this.variant = variant;
    ({ needsReference: this.needsReference, needsSource: this.needsSource } = VARIANTS[variant]);
    this.#remote = remote;
    this.#tokenizer = tokenizer;
    this.#batchTokens = batchTokens;
  }

  static async load(thread: Thread, folder: string, options: PretrainedOptions): Promise<MetricX> {
    const variant = variantOf(folder, options.variant);
    const file = await tokenizerFile(folder, options.tokenizer, TOKENIZERS);
    const tokenizer = await loadPieceTokenizer(file);
    const remote = await thread.open(WORKER, { folder } satisfies OpenArgs);
    const vocabulary = Number(await remote.call("vocabulary", undefined));
    if (tokenizer.size > vocabulary) {
      await remote.release();
      throw new UserError(
        `has ${tokenizer.size} pieces, but the checkpoint knows ${vocabulary} tokens. MetricX takes the tokenizer of google/mt5.`,
        { file },
      );
    }
    return new MetricX(remote, tokenizer, variant, options.batchTokens);
  }

  async score(batch: readonly RewardInput[], options: ScoreOptions = {}): Promise<PretrainedScore[]> {
    const variant: Variant = VARIANTS[this.variant];
    const sequences = packSequences(batch.map((input) => this.#tokens(input, variant)));
    const request: ScoreRequest = {
      sequences,
      ...(this.#batchTokens !== undefined && { batchTokens: this.#batchTokens }),
    };
    return Array.from(await askScores(this.#remote, request, options), scoreOf);
  }

  close(): Promise<void> {
    return this.#remote.release();
  }

  #tokens(input: RewardInput, { needsReference, maxLength, text }: Variant): number[] {
    if (needsReference && input.reference === undefined)
      throw new UserError(
        `${this.variant} compares with a reference, and source ${JSON.stringify(input.source)} has none; give it one, or use a variant that ends in -qe.`,
      );
    // The end-of-sentence token, which the models were trained without, has its place in the limit all the same.
    return this.#tokenizer.encode(text(input)).slice(0, maxLength - 1);
  }
}

/** A logit as the error score that the published program prints, 0 to 25, and as a reward. */
function scoreOf(logit: number): PretrainedScore {
  const raw = Math.min(Math.max(logit, 0), WORST);
  return { raw, reward: 1 - raw / WORST };
}
