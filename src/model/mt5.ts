/**
 * mT5 (Xue et al. 2021; Transformers' modeling_mt5.py) as a regression: the whole encoder, one step of the decoder, and one
 * logit of it as the score.
 */

import { z } from "zod";
import { UserError } from "../errors.js";
import { Graph, type Value } from "../tensor/graph.js";
import {
  add,
  embedding,
  expand,
  geluTanh,
  matmul,
  mul,
  reshape,
  rmsNorm,
  softmax,
  sum,
  transpose,
} from "../tensor/operations.js";

export interface Mt5Config {
  readonly vocabulary: number;
  readonly width: number;
  readonly inner: number;
  readonly heads: number;
  readonly perHead: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly epsilon: number;
  /** Kinds of distance between two positions that attention tells apart, both directions together. */
  readonly buckets: number;
  /** From here on all distances are one. */
  readonly maxDistance: number;
}

const size = z.int().positive();
/** Names are made for every layer before the file is asked for one: a damaged number must not fill the memory. */
const layers = size.max(1000);
const schema = z.looseObject({
  model_type: z.literal("mt5"),
  vocab_size: size,
  d_model: size,
  d_ff: size,
  d_kv: size,
  num_heads: size,
  num_layers: layers,
  num_decoder_layers: layers.nullish(),
  layer_norm_epsilon: z.number().positive().default(1e-6),
  relative_attention_num_buckets: size.multipleOf(4).default(32),
  relative_attention_max_distance: size.default(128),
  feed_forward_proj: z.literal("gated-gelu").default("gated-gelu"),
  tie_word_embeddings: z.literal(false).default(false),
});

/** Whether a `config.json` is that of an mT5. */
export function isMt5Config(json: unknown): boolean {
  return schema.pick({ model_type: true }).safeParse(json).success;
}

/** Reads a `config.json`. @throws UserError naming the key that is missing or not supported. */
export function parseMt5Config(json: unknown, file: string): Mt5Config {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new UserError(
      `${path.join(".") || "the file"} is not as an mT5 with its own output matrix has it (${message}). Copy the model folder again.`,
      { file },
      { cause: parsed.error },
    );
  }
  const found = parsed.data;
  return {
    vocabulary: found.vocab_size,
    width: found.d_model,
    inner: found.d_ff,
    heads: found.num_heads,
    perHead: found.d_kv,
    encoderLayers: found.num_layers,
    decoderLayers: found.num_decoder_layers ?? found.num_layers,
    epsilon: found.layer_norm_epsilon,
    buckets: found.relative_attention_num_buckets,
    maxDistance: found.relative_attention_max_distance,
  };
}

/** The row of the output matrix that gives the score. */
export const HEAD = "lm_head.weight";
export const EMBEDDING = "shared.weight";
const RELATIVE = "block.0.layer.0.SelfAttention.relative_attention_bias.weight";

/**
 * The tensors that the graph needs, by the names Transformers gives them, with their shapes; of `HEAD`, which is
 * [vocabulary, width], one row alone. A decoder of one position needs no query, key or distance of its self-attention:
 * `unusedNames` are those.
 */
export function mt5Shapes(config: Mt5Config): Map<string, readonly number[]> {
  const { vocabulary, width, inner, heads, perHead, buckets } = config;
  const joined = heads * perHead;
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [vocabulary, width]]]);
  const stack = (name: string, layers: number, cross: boolean) => {
    for (let i = 0; i < layers; i++) {
      const layer = (part: number) => `${name}.block.${i}.layer.${part}`;
      const attention = (part: number, kind: string, matrices: string) => {
        for (const matrix of matrices)
          shapes.set(
            `${layer(part)}.${kind}.${matrix}.weight`,
            matrix === "o" ? [width, joined] : [joined, width],
          );
        shapes.set(`${layer(part)}.layer_norm.weight`, [width]);
      };
      attention(0, "SelfAttention", cross ? "vo" : "qkvo");
      if (cross) attention(1, "EncDecAttention", "qkvo");
      const last = layer(cross ? 2 : 1);
      shapes.set(`${last}.DenseReluDense.wi_0.weight`, [inner, width]);
      shapes.set(`${last}.DenseReluDense.wi_1.weight`, [inner, width]);
      shapes.set(`${last}.DenseReluDense.wo.weight`, [width, inner]);
      shapes.set(`${last}.layer_norm.weight`, [width]);
    }
    shapes.set(`${name}.final_layer_norm.weight`, [width]);
  };
  stack("encoder", config.encoderLayers, false);
  shapes.set(`encoder.${RELATIVE}`, [buckets, heads]);
  stack("decoder", config.decoderLayers, true);
  return shapes;
}

/** Tensors of an mT5 that a decoder of one position does without. */
export function unusedShapes({
  decoderLayers,
  width,
  heads,
  perHead,
  buckets,
}: Mt5Config): Map<string, number[]> {
  const shapes = new Map<string, number[]>([[`decoder.${RELATIVE}`, [buckets, heads]]]);
  for (let i = 0; i < decoderLayers; i++)
    for (const matrix of ["q", "k"])
      shapes.set(`decoder.block.${i}.layer.0.SelfAttention.${matrix}.weight`, [heads * perHead, width]);
  return shapes;
}

export interface Mt5Regression {
  readonly graph: Graph;
  /** The encoder's states [batch, time, width]. */
  readonly states: Value;
  /** The scores [batch, 1]. */
  readonly scores: Value;
}

/**
 * Records the network. Parameters are those of `mt5Shapes`, and `HEAD` [width]; inputs are `ids` [batch, time], `mask`
 * [batch, 1, 1, time], which is 0 at a token and very negative at padding, and `buckets` [time, time] (`distanceBuckets`).
 */
export function mt5Regression(config: Mt5Config): Mt5Regression {
  const graph = new Graph();
  const shapes = mt5Shapes(config);
  const { width, heads, perHead, epsilon } = config;
  const joined = heads * perHead;
  const weights = new Map<string, Value>();
  const weight = (name: string) => {
    const known = weights.get(name) ?? graph.parameter(name, shapes.get(name)!);
    weights.set(name, known);
    return known;
  };
  const linear = (x: Value, name: string) => matmul(x, weight(`${name}.weight`), { transB: true });
  const norm = (x: Value, name: string) => rmsNorm(x, weight(`${name}.weight`), epsilon);
  const feedForward = (x: Value, layer: string) => {
    const normal = norm(x, `${layer}.layer_norm`);
    const dense = `${layer}.DenseReluDense`;
    const gated = mul(geluTanh(linear(normal, `${dense}.wi_0`)), linear(normal, `${dense}.wi_1`));
    return add(x, linear(gated, `${dense}.wo`));
  };

  const mask = graph.input("mask", ["batch", 1, 1, "time"]);
  const bias = graph.scope("distances", () => {
    const table = embedding(weight(`encoder.${RELATIVE}`), graph.input("buckets", ["time", "time"], "int64"));
    return add(reshape(transpose(table, [2, 0, 1]), [1, heads, "time", "time"]), mask);
  });

  /** [batch, time, heads × perHead] as [batch, heads, time, perHead]. */
  const split = (x: Value) => transpose(reshape(x, ["batch", "time", heads, perHead]), [0, 2, 1, 3]);
  let hidden = embedding(weight(EMBEDDING), graph.input("ids", ["batch", "time"], "int64"));
  for (let i = 0; i < config.encoderLayers; i++) {
    graph.scope(`encoder.${i}`, () => {
      const name = `encoder.block.${i}.layer`;
      const normal = norm(hidden, `${name}.0.layer_norm`);
      const of = (matrix: string) => split(linear(normal, `${name}.0.SelfAttention.${matrix}`));
      // T5 does not divide by the root of the width: its weights are initialised for that.
      const scores = add(matmul(of("q"), of("k"), { transB: true }), bias);
      const mixed = transpose(matmul(softmax(scores), of("v")), [0, 2, 1, 3]);
      const out = linear(reshape(mixed, ["batch", "time", joined]), `${name}.0.SelfAttention.o`);
      hidden = feedForward(add(hidden, out), `${name}.1`);
    });
  }
  const states = norm(hidden, "encoder.final_layer_norm");

  const sourceMask = reshape(mask, ["batch", 1, "time"]);
  /** A matrix [heads × perHead, width] by its heads. */
  const byHead = (name: string) => reshape(weight(`${name}.weight`), [heads, perHead, width]);
  /**
   * Attention of one position over all states. q·(Kh) is (qK)·h and V·Σ aₜhₜ is Σ aₜVhₜ: with one query a sentence it is far
   * cheaper to take the matrices to the query than to every state.
   */
  const cross = (x: Value, name: string) => {
    const query = reshape(linear(x, `${name}.q`), ["batch", heads, perHead]);
    const inStates = matmul(transpose(query, [1, 0, 2]), byHead(`${name}.k`));
    const scores = matmul(transpose(inStates, [1, 0, 2]), states, { transB: true });
    const mixed = matmul(softmax(add(scores, sourceMask)), states);
    const values = matmul(transpose(mixed, [1, 0, 2]), byHead(`${name}.v`), { transB: true });
    return linear(reshape(transpose(values, [1, 0, 2]), ["batch", joined]), `${name}.o`);
  };
  const start = embedding(weight(EMBEDDING), graph.constant([DECODER_START], "int64"));
  let state = expand(start, ["batch", width]);
  for (let i = 0; i < config.decoderLayers; i++) {
    graph.scope(`decoder.${i}`, () => {
      const name = `decoder.block.${i}.layer`;
      // One position attends to itself alone, with weight 1.
      const self = linear(norm(state, `${name}.0.layer_norm`), `${name}.0.SelfAttention.v`);
      state = add(state, linear(self, `${name}.0.SelfAttention.o`));
      state = add(state, cross(norm(state, `${name}.1.layer_norm`), `${name}.1.EncDecAttention`));
      state = feedForward(state, `${name}.2`);
    });
  }
  const last = norm(state, "decoder.final_layer_norm");
  const scores = sum(mul(last, graph.parameter(HEAD, [width])), [1]);
  return { graph, states, scores };
}

/** `<pad>`, which starts the decoder and fills batches. */
export const PAD = 0;
const DECODER_START = PAD;

/**
 * The bucket of each distance from query to key, for `time` queries by `time` keys, row by row: half of the buckets for keys
 * behind the query; of each half, the first half for a distance each, the rest for ranges that grow up to `maxDistance`.
 */
export function distanceBuckets(time: number, { buckets, maxDistance }: Mt5Config): Int32Array {
  const half = buckets / 2;
  const exact = half / 2;
  // In 32 bits at each step, as PyTorch computes it: some ranges begin where rounding decides.
  const scale = Math.fround(Math.log(maxDistance / exact));
  const bucketOf = (distance: number) => {
    if (distance < exact) return distance;
    const share = Math.fround(Math.fround(Math.log(distance / exact)) / scale);
    return Math.min(half - 1, exact + Math.trunc(Math.fround(share * (half - exact))));
  };
  const of = Int32Array.from({ length: 2 * time - 1 }, (_, i) => {
    const relative = i - (time - 1);
    return bucketOf(Math.abs(relative)) + (relative > 0 ? half : 0);
  });
  const all = new Int32Array(time * time);
  for (let query = 0; query < time; query++)
    all.set(of.subarray(time - 1 - query, 2 * time - 1 - query), query * time);
  return all;
}
