/** BLEURT-20 and its distillations (Sellam et al. 2020, Pu et al. 2021): RemBERT, taught to rate a candidate by its reference. */

import { extname } from "node:path";
import { UserError } from "../../../errors.js";
import type { Remote, Thread } from "../../../tensor/thread.js";
import type { RewardInput } from "../../reward.js";
import { askScores, withinUnit } from "../ask.js";
import type {
  KnownScores,
  PretrainedFamily,
  PretrainedOptions,
  PretrainedScore,
  PretrainedScorer,
  ScoreOptions,
} from "../family.js";
import { packSequences } from "../packed.js";
import { type BleurtSizes, isBleurtFolder, readBleurtFolder } from "./folder.js";
import { loadPairEncoder, type PairEncoder } from "./pair-encoder.js";
import type { OpenArgs, ScoreRequest } from "./worker.js";

/** The module that the worker thread opens. */
const WORKER = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/** The published checkpoints by their number of layers, which no two share. */
const BY_LAYERS: Readonly<Record<number, string>> = {
  32: "bleurt-20",
  12: "bleurt-20-d12",
  6: "bleurt-20-d6",
  3: "bleurt-20-d3",
};
/** Fewer tokens than this, and it is not one of the published ones, which know 120,300 or 250,300. */
const FEWEST_TOKENS = 100_000;
/** A checkpoint of the same kind that somebody else has trained. */
const OTHER = "bleurt";

const KNOWN: readonly KnownScores[] = [
  {
    variant: "bleurt-20-d12",
    inputs: [
      ["a bird chirps by the window", "a bird chirps by the window"],
      ["this is a random sentence", "this looks like a random sentence"],
    ].map(([reference, candidate]) => ({ source: "", reference: reference!, candidate: candidate! })),
    raw: [0.9604414, 0.808005],
    // Published by the PyTorch port (its README), whose GELU is the exact one. The original approximates it; users of the port
    // report differences of up to 0.14 % from the original.
    tolerance: 2e-3,
  },
];

export const bleurt: PretrainedFamily = {
  name: "bleurt",
  variants: [...Object.values(BY_LAYERS), OTHER],
  known: KNOWN,
  recognises: isBleurtFolder,
  files: async (folder, { tokenizer }) => [...(await readBleurtFolder(folder, tokenizer)).files],
  open: async (thread, folder, options) => Bleurt.load(thread, folder, options),
};

class Bleurt implements PretrainedScorer {
  readonly name: string;
  readonly variant: string;
  readonly needsReference = true;
  readonly needsSource = false;
  readonly licence = "Apache-2.0";
  readonly #remote: Remote;
  readonly #encoder: PairEncoder;
  readonly #batchTokens: number | undefined;

  private constructor(
    remote: Remote,
    encoder: PairEncoder,
    variant: string,
    batchTokens: number | undefined,
  ) {
    this.name = variant;
    this.variant = variant;
    this.#remote = remote;
    this.#encoder = encoder;
    this.#batchTokens = batchTokens;
  }

  static async load(thread: Thread, folder: string, options: PretrainedOptions): Promise<Bleurt> {
    const read = await readBleurtFolder(folder, options.tokenizer);
    const variant = variantOf(read.sizes, folder, options.variant);
    const encoder = await loadPairEncoder(read.pieces, read.maxLength);
    if (encoder.size > read.sizes.vocabulary)
      throw new UserError(
        `has ${encoder.size} pieces, but the checkpoint knows ${read.sizes.vocabulary} tokens. Use the SentencePiece model of its own folder.`,
        { file: read.pieces },
      );
    const remote = await thread.open(WORKER, read satisfies OpenArgs);
    return new Bleurt(remote, encoder, variant, options.batchTokens);
  }

  async score(batch: readonly RewardInput[], options: ScoreOptions = {}): Promise<PretrainedScore[]> {
    const pairs = batch.map(({ source, reference, candidate }) => {
      if (reference === undefined)
        throw new UserError(
          `BLEURT compares with a reference, and source ${JSON.stringify(source)} has none; give it one.`,
        );
      return this.#encoder.encode(reference, candidate);
    });
    const request: ScoreRequest = {
      sequences: packSequences(pairs.map(({ ids }) => ids)),
      first: Int32Array.from(pairs, ({ first }) => first),
      ...(this.#batchTokens !== undefined && { batchTokens: this.#batchTokens }),
    };
    const scores = await askScores(this.#remote, request, options);
    return Array.from(scores, (raw) => ({ raw, reward: withinUnit(raw) }));
  }

  close(): Promise<void> {
    return this.#remote.release();
  }
}

/** Which checkpoint a folder holds, by its sizes. @throws UserError where another is asked for. */
function variantOf({ layers, vocabulary }: BleurtSizes, folder: string, asked: string | undefined): string {
  const found = (vocabulary >= FEWEST_TOKENS ? BY_LAYERS[layers] : undefined) ?? OTHER;
  if (asked === undefined || asked === found) return found;
  throw new UserError(
    `its sizes (${layers} layers, ${vocabulary} tokens) are those of ${found}, not of ${asked}. Leave the variant out.`,
    { file: folder },
  );
}
