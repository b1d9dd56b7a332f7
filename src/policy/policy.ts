/** What a policy is to the loop: something that samples and, where it can, is trained and gives log-probabilities. */

import type { TrainedLora } from "./adapter.js";
import type { TokenDivergences } from "./divergence.js";
import type { LossRequest } from "./loss.js";
import type { TrainingOptions, TrainingProgress } from "./training.js";

/** A source with the number by which its candidates are known. */
export interface Source {
  sourceId: number;
  text: string;
  /** What its draws depend on in place of the options' seed and `sourceId`. */
  draws?: Draws;
  /** Aborted: what is being written for it is given up, and nothing is given for it that was not given by then. */
  signal?: AbortSignal;
}

/** Names the draws of one source, so that sources of several callers can be sampled together, each as it would be alone. */
export interface Draws {
  seed: number;
  sourceId: number;
}

export interface SampleOptions {
  /** Candidates a source, 1 or more. */
  n: number;
  /** Softmax temperature, above 0; 0 means greedy. */
  temperature: number;
  /** Keep the k most likely tokens only; 0 or absent: all. */
  topK?: number;
  /** Keep the smallest set of tokens whose probability reaches this, in (0, 1]; absent: all. */
  topP?: number;
  /** A candidate longer than this is cut and marked unfinished. End-of-sentence counts as a token. */
  maxTokens: number;
  /** A draw depends on (seed, grow, sourceId, sampleId, position) and nothing else, or on a source's own `draws`. */
  seed: number;
  grow: number;
  /**
   * Where a policy whose samples cost money keeps what it has got, so that a killed call asks for the rest alone; who
   * needs none of it any more removes it. A policy that draws the same again writes nothing.
   */
  stateFile?: string;
  /** Called as candidates finish. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface TranslateOptions
  extends Pick<SampleOptions, "maxTokens" | "stateFile" | "onProgress" | "signal"> {
  /** Beam width; 1 or absent: greedy. */
  beams?: number;
}

/** The translation that a search finds, greedy or by beam. */
export interface Translation {
  sourceId: number;
  text: string;
  /** Empty where the policy does not tell. */
  tokens: number[];
  logProbs: number[];
  finished: boolean;
}

export interface SampledCandidate {
  sourceId: number;
  sampleId: number;
  text: string;
  /** Token ids, end-of-sentence included when finished; empty, and so the next two, where the policy does not tell. */
  tokens: number[];
  /** Log-probability of each token under the model (temperature 1), natural logarithm. */
  logProbs: number[];
  /** Log-probability of each token under the distribution that was sampled from. */
  sampleLogProbs: number[];
  /** False when the candidate was cut at `maxTokens`. */
  finished: boolean;
}

/** One weighted training example; examples of one source share its encoder pass. */
export interface Example {
  source: string;
  target: string;
  /** Weight of this example's negative log-likelihood; 0 or more. */
  weight: number;
  /** The target's token ids where they are known already, as sampled; else `target` is encoded. */
  tokens?: readonly number[];
  /** Numbers that a loss asks for, one for each token, by name. */
  columns?: Readonly<Record<string, Float32Array>>;
}

/** What one evaluation found. */
export interface Evaluated {
  /** Higher is better. */
  score: number;
  /** These weights must not be kept, and training ends: with the start's where `evaluateStart` is set. */
  refused: boolean;
  /** Further figures for the evaluation's row. */
  figures: Readonly<Record<string, number>>;
}

export interface TrainOptions extends TrainingOptions {
  /** For a trainer outside of this process: what the policy will be called, and a folder for what is made of it. */
  outside?: { name: string; folder: string };
  /** What is minimised; absent: the weighted log-likelihood. */
  loss?: LossRequest;
  /** Folder of the policy that sampled, for losses that read its distributions. */
  behavior?: string;
  /** Train an adapter, and leave the policy's other weights as they are; absent: train all of them. */
  lora?: TrainedLora;
  /** Updates between two evaluations; the training state is kept as often. */
  evaluateEvery: number;
  /** Stop after this many evaluations without a better score. */
  patience: number;
  /** How good the policy is now, higher is better; the weights with the best score are kept. Absent: the last are. */
  evaluate?: (step: number) => Promise<number | Evaluated>;
  /** Evaluate the weights as they are given too, as step 0, so that worse ones are never kept. Default: no. */
  evaluateStart?: boolean;
  /** Where the state is kept, so that a killed training goes on from its last evaluation. */
  stateFile?: string;
  onProgress?: (progress: TrainingProgress) => void;
  /** One sentence on what a user should know: that a kept state was of no use. */
  onNote?: (sentence: string) => void;
  signal?: AbortSignal;
}

export interface TrainResult {
  /** Updates done, and the one whose weights were kept; 0 where none beat the start. */
  steps: number;
  bestStep: number;
  /** Score of the kept weights; absent without `evaluate`, and where it refused them all. */
  bestScore?: number;
  /** Target tokens trained on, padding not counted. */
  tokens: number;
  /** One row an evaluation, in order; the start has no loss (NaN). */
  evaluations: {
    step: number;
    loss: number;
    score?: number;
    refused?: boolean;
    figures?: Readonly<Record<string, number>>;
  }[];
}

/** Log-probabilities of one pair's target tokens (end-of-sentence included) under the model at temperature 1, in nats. */
export interface ScoredPair {
  tokens: number[];
  logProbs: number[];
}

/** A text whose log-probability is asked for; `tokens` where they are known already, else `target` is encoded. */
export interface PairToScore {
  source: string;
  target?: string;
  tokens?: readonly number[];
}

/** What the loop knows of a policy, whatever stands behind it. */
export interface Policy {
  /** Candidates of each source, sources in the order in which they end. */
  sample(sources: readonly Source[], options: SampleOptions): AsyncIterable<SampledCandidate[]>;
  /** The best translation of each source, in the order given; a source whose signal is aborted may have none. */
  translate(sources: readonly Source[], options: TranslateOptions): Promise<Translation[]>;
  /** Absent where the policy cannot tell (a server that only samples). */
  logProbabilities?(pairs: readonly PairToScore[], signal?: AbortSignal): Promise<ScoredPair[]>;
  /** Mean negative log-likelihood a token of `target`, in nats. */
  negativeLogLikelihood?(pairs: readonly { source: string; target: string }[]): Promise<number>;
  /** How far its next-token distribution is from that of `reference`, a policy of the same kind and vocabulary, at every token. */
  divergences?(
    reference: Policy,
    candidates: readonly { source: string; tokens: readonly number[] }[],
    signal?: AbortSignal,
  ): Promise<TokenDivergences[]>;
  /** Changes the policy in place. */
  train(examples: readonly Example[], options: TrainOptions): Promise<TrainResult>;
  /** Writes a folder that it can be loaded from; it appears whole or not at all. */
  save(folder: string): Promise<void>;
  release(): Promise<void>;
}
