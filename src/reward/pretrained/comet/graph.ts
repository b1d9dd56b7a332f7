/** The two graphs of a COMET model: sequences of tokens to vectors of sentences, and those to a score. */

import { type BertEncoderConfig, bertEncoder } from "../../../model/bert-encoder.js";
import { Graph, type Value } from "../../../tensor/graph.js";
import { add, div, matmul, mul, reshape, sigmoid, sqrt, sub, sum, tanh } from "../../../tensor/operations.js";
import type { ParameterSpec } from "../../../tensor/parameters.js";
import type { Activation, CometSettings } from "./settings.js";

/** Stands before the names of the encoder's weights. */
export const ENCODER = "encoder.";

/** Added to the variance of a sentence's hidden states (LayerwiseAttention of COMET). */
const TINY = 1e-12;

/**
 * The vector [batch, width] of each sequence: Σ mixture[l] · pooled hidden state l, whose hidden states are first normalised
 * over all tokens and places of the sentence where `normalise` says so.
 *
 * Inputs: `ids` [batch, time], `positions` [time], `mask` [batch, 1, 1, time] (0 or MASKED), `pool` [batch, 1, time], what each
 * token counts in its sentence; and for the normalisation `real` [batch, time, 1], 1 but for padding, and `share` [batch, 1, 1],
 * 1/(tokens·width).
 *
 * Pooling is linear and a normalisation acts on all tokens alike, so states are pooled before they are normalised and mixed.
 */
export function sentenceGraph(
  config: BertEncoderConfig,
  mixture: readonly number[],
  normalise: boolean,
): { graph: Graph; vectors: Value } {
  const graph = new Graph();
  const states = bertEncoder(
    graph,
    config,
    {
      ids: graph.input("ids", ["batch", "time"], "int64"),
      positions: graph.input("positions", ["time"], "int64"),
      mask: graph.input("mask", ["batch", 1, 1, "time"]),
    },
    ENCODER,
  );
  const pool = graph.input("pool", ["batch", 1, "time"]);
  const spread = normalise ? spreadOf(graph) : undefined;
  let vectors: Value | undefined;
  states.forEach((state, l) => {
    if (mixture[l] === 0) return;
    const whole = reshape(state, ["batch", "time", config.width]);
    let pooled = matmul(pool, whole);
    if (spread) {
      const { mean, deviation } = spread(whole);
      pooled = div(sub(pooled, mean), deviation);
    }
    const counted = mul(pooled, mixture[l]!);
    vectors = vectors ? add(vectors, counted) : counted;
  });
  if (!vectors) throw new Error("a mixture needs a hidden state that counts");
  return { graph, vectors: reshape(vectors, ["batch", config.width]) };
}

/** Mean and standard deviation [batch, 1, 1] of hidden states [batch, time, width] over all but padding. */
function spreadOf(graph: Graph): (state: Value) => { mean: Value; deviation: Value } {
  const real = graph.input("real", ["batch", "time", 1]);
  const share = graph.input("share", ["batch", 1, 1]);
  return (state) => {
    const mean = mul(sum(mul(state, real), [1, 2]), share);
    const centred = mul(sub(state, mean), real);
    const variance = mul(sum(mul(centred, centred), [1, 2]), share);
    return { mean, deviation: sqrt(add(variance, TINY)) };
  };
}

/** The layers of the estimator, `from` features to one number; names are those of the checkpoint. */
export function estimatorSpecs(settings: CometSettings, from: number): ParameterSpec[] {
  const widths = [from, ...settings.hidden, 1];
  return widths.slice(1).flatMap((out, i): ParameterSpec[] => [
    { name: `estimator.ff.${3 * i}.weight`, shape: [out, widths[i]!], decay: true },
    { name: `estimator.ff.${3 * i}.bias`, shape: [out], decay: false },
  ]);
}

/** The scores [row, 1] of the input `features` [row, from]. */
export function estimatorGraph(settings: CometSettings, from: number): { graph: Graph; scores: Value } {
  const graph = new Graph();
  const specs = estimatorSpecs(settings, from);
  let x = graph.input("features", ["row", from]);
  for (let i = 0; i < specs.length; i += 2) {
    const [weight, bias] = [specs[i]!, specs[i + 1]!].map(({ name, shape }) => graph.parameter(name, shape));
    x = add(matmul(x, weight!, { transB: true }), bias!);
    const last = i + 2 === specs.length;
    const activation = last ? settings.finalActivation : settings.activation;
    if (activation) x = ACTIVATIONS[activation](x);
  }
  return { graph, scores: x };
}

const ACTIVATIONS: Readonly<Record<Activation, (x: Value) => Value>> = { Tanh: tanh, Sigmoid: sigmoid };
