/** What training minimises: a function of the policy's log-probabilities and of the batch, recorded once. */

import type { Graph, Value } from "../tensor/graph.js";
import { mul, neg, total } from "../tensor/operations.js";

/** The policy and the batch as a loss sees them. Values are [token]: every target token of the batch, in order. */
export interface LossTerms {
  readonly graph: Graph;
  /** log π_θ(aₜ|sₜ), label-smoothed where the training asks for it. */
  readonly logProbs: Value;
  /** log π_θ(aₜ|sₜ), never smoothed. */
  readonly exactLogProbs: Value;
  /** log π_θ(·|sₜ) [token, vocab]. */
  allLogProbs(): Value;
  /** The target's weight; the weights of all tokens of an update sum to 1. */
  readonly weight: Value;
  /** A constant of the batch: one that came with the examples, or one that `compute` made. */
  column(name: string): Value;
  /** log π(·|sₜ) [token, vocab] of a policy that is held still; a constant. */
  distribution(of: Still): Value;
}

/** Policies held still beside the one that is trained: a copy of it that is renewed now and then; the one that sampled. */
export type Still = "old" | "behavior";

/** One batch in numbers, [token] each, for what a loss computes outside the graph. */
export interface LossBatch {
  /** Length of each target, in order; they sum to the number of tokens. */
  readonly lengths: readonly number[];
  /** The columns that came with the examples. */
  readonly columns: Readonly<Record<string, Float32Array>>;
  /** log π_old(aₜ|sₜ), where the loss keeps an old copy; else empty. */
  readonly oldLogProbs: Float32Array;
  /** Updates done before this one, and updates in all. */
  readonly step: number;
  readonly steps: number;
}

/**
 * A loss. `record` is the whole of it; the rest says what it needs to be given, and is absent where it needs nothing.
 * One object serves one training, since it may hold variables of its own (V-MPO's η and α).
 */
export interface Loss {
  /** Columns that every example carries. */
  readonly columns: readonly string[];
  /** Keeps a copy of the policy, renewed before each update whose number is a multiple of `every`. */
  readonly old?: { readonly every: number };
  /** The scalar to minimise, and scalars that `learn` wants to see after each pass. */
  record(terms: LossTerms): { loss: Value; seen?: Readonly<Record<string, Value>> };
  /** Further columns, [token] each, from the batch as it is. */
  compute?(batch: LossBatch): Readonly<Record<string, Float32Array>>;
  /** Updates the loss's own variables after a pass. */
  learn?(seen: Readonly<Record<string, number>>): void;
  /** The loss's own variables with their optimizer state, kept with the training so that it can go on. */
  readonly variables?: Float32Array;
}

/** The weighted log-likelihood, −Σ weight·log π_θ: what trains BC, and the loss where none is named. */
export const logLikelihood: Loss = {
  columns: [],
  record: ({ weight, logProbs }) => ({ loss: neg(total(mul(weight, logProbs))) }),
};

/** A loss that the worker makes for itself: the module at `module` exports `default (name, options) => Loss`. */
export interface LossRequest {
  readonly module: string;
  readonly name: string;
  readonly options: unknown;
}

/** Loads the module of a request and makes its loss. */
export async function makeLoss(request: LossRequest | undefined): Promise<Loss> {
  if (!request) return logLikelihood;
  const loaded = (await import(request.module)) as { default: (name: string, options: unknown) => Loss };
  return loaded.default(request.name, request.options);
}
