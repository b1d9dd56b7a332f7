/** What a pretrained reward is: a published checkpoint of a metric, scored here as its authors' program scores it. */

import type { Thread } from "../../tensor/thread.js";
import type { RewardInput } from "../reward.js";

/** The score of one input, on the metric's own scale and on that of rewards. */
export interface PretrainedScore {
  /** As the published program prints it; what it means and which way is better is the metric's own affair. */
  readonly raw: number;
  /** In [0, 1], higher is better. */
  readonly reward: number;
}

export interface ScoreOptions {
  /** Told how many inputs of this call are scored. */
  readonly onProgress?: (done: number) => void;
  /** Ends the call with `Interrupted` after the batch that is under way. */
  readonly signal?: AbortSignal;
}

/**
 * `unit`: trained on ratings between 0 and 1. `z`: trained on ratings that were standardised for each rater, so that 0 is an
 * average translation and 1 one that lies a standard deviation above.
 */
export type Scale = "unit" | "z";

/** A checkpoint that is loaded and ready. */
export interface PretrainedScorer {
  /** The metric, for tables and messages. */
  readonly name: string;
  /** Which of the family's checkpoints it is, which says how inputs are put together: `metricx-23-qe`. */
  readonly variant: string;
  readonly needsReference: boolean;
  /** Whether the score follows from the source at all. */
  readonly needsSource: boolean;
  /** What its raw scores lie on, where another checkpoint of the family may lie on another scale. */
  readonly scale?: Scale;
  /** The licence that its authors gave the weights, with what it forbids. */
  readonly licence: string;
  /**
   * One score an input, in order; what else is in the batch changes no more than the last bits. Throws a UserError for an
   * input without the reference that it needs.
   */
  score(batch: readonly RewardInput[], options?: ScoreOptions): Promise<PretrainedScore[]>;
  close(): Promise<void>;
}

export interface PretrainedOptions {
  /** In place of what the folder's name and its configuration say. */
  readonly variant?: string;
  /** The tokenizer's file, or the folder it lies in, where it is not in the checkpoint's own. */
  readonly tokenizer?: string;
  /** Positions of one forward pass at most, padding included; more where one input alone has more. */
  readonly batchTokens?: number;
}

/** Scores that the checkpoint's authors have published. */
export interface KnownScores {
  readonly variant: string;
  readonly inputs: readonly RewardInput[];
  readonly raw: readonly number[];
  /** How far a raw score may lie from the published one: half a unit of its last printed digit, and rounding. */
  readonly tolerance: number;
}

/** A metric in all its sizes and versions; `families.ts` lists them. */
export interface PretrainedFamily {
  readonly name: "metricx" | "comet" | "bleurt";
  /** The variants by name, as `--variant` takes them. */
  readonly variants: readonly string[];
  /** Whether the folder looks like one of this family; reads small files alone and throws for none. */
  recognises(folder: string): Promise<boolean>;
  /**
   * The files that scores follow from (configuration, weights, tokenizer), for a run to be held to; reads small ones alone.
   * @throws UserError where one is missing, or the variant is none of this family's or is not known.
   */
  files(folder: string, options: PretrainedOptions): Promise<string[]>;
  /**
   * Loads the whole checkpoint into the thread.
   * @throws UserError naming the file, and the key or tensor, where one is missing, unknown, superfluous or of another
   * shape, or where the variant is none of this family's or is not known.
   */
  open(thread: Thread, folder: string, options: PretrainedOptions): Promise<PretrainedScorer>;
  readonly known: readonly KnownScores[];
}
