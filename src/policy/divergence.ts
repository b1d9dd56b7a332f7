/** The KL divergence of one policy from another, exact a token: over the whole vocabulary, at prefixes that are given. */

import type { MarianConfig } from "../model/config.js";
import { Marian } from "../model/marian.js";
import { Graph, type Value } from "../tensor/graph.js";
import { exp, logSoftmax, mul, sub, sum } from "../tensor/operations.js";
import { recordTeacherForcing } from "./network.js";

/** Numbers of one pass that span the vocabulary: a few arrays of this size are alive at a time. */
const MOST_NUMBERS = 2 ** 23;

/** One number a token of a candidate, end-of-sentence included. */
export interface TokenDivergences {
  /** Σ_v π(v|s)·(log π(v|s) − log π₀(v|s)), in nats. */
  divergences: Float32Array;
  /** log π₀ of the token itself, in nats. */
  referenceLogProbs: Float32Array;
}

/** `divergences` [token] of the policy whose weights are fed, from `reference` [token, vocab], log π₀ of every token. */
export function divergenceGraph(config: MarianConfig): { graph: Graph; divergences: Value } {
  const graph = new Graph();
  const marian = new Marian(graph, config);
  const hidden = recordTeacherForcing(marian);
  const logProbs = logSoftmax(marian.logits(hidden, graph.input("tokenRows", ["token"], "int64")));
  const reference = graph.input("reference", ["token", config.targetVocabulary]);
  return { graph, divergences: sum(mul(exp(logProbs), sub(logProbs, reference)), [1]) };
}

/** Target positions of one pass, 16 at least. */
export function divergenceTokens({ targetVocabulary }: MarianConfig): number {
  return Math.max(16, Math.floor(MOST_NUMBERS / targetVocabulary));
}
