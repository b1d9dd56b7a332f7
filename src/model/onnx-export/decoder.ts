/** The decoder as one ONNX model for the first step and for those after it, as Transformers.js and Optimum ask it. */

import type { MarianConfig } from "../config.js";
import { MASKED, targetEmbedding } from "../marian.js";
import { OnnxBuilder } from "./builder.js";
import { type KeysValues, OnnxLayers } from "./layers.js";
import type { Weights } from "./weights.js";

/** Keys and values of a decoder layer: those of the target so far, and those of the source. */
interface Cached {
  readonly own: KeysValues;
  readonly cross: KeysValues;
}

const parts = ({ own, cross }: Cached) => [own.keys, own.values, cross.keys, cross.values];

/**
 * Bytes of the model. Inputs: `encoder_attention_mask` [batch, sourceTime], `input_ids` [batch, time] (the start token, or the
 * tokens behind what is cached), `encoder_hidden_states` [batch, sourceTime, width], `past_key_values.LAYER.decoder|encoder.key|value`
 * [batch, head, past or sourceTime, perHead] and `use_cache_branch` [1]. Outputs: `logits` [batch, time, vocabulary] and
 * `present.…`, named as the past is.
 *
 * Without a cache, the past is not looked at and the source's keys and values are made of the encoder's states: only this is
 * in the `If`, so that all weights and nodes are there once.
 *
 * Behind an end-of-sentence token stands end-of-sentence, surely. Transformers.js goes on with every sentence of a batch until
 * all end at the same step, so that the network's own opinion would put words behind the end.
 */
export function decoderModel(config: MarianConfig, weights: Weights): Uint8Array {
  const graph = new OnnxBuilder();
  const layers = new OnnxLayers(graph, config, weights);
  const heads = config.decoderHeads;
  const source = ["batch_size", "encoder_sequence_length"];
  const target = ["batch_size", "decoder_sequence_length"];
  const cache = (time: string) => ["batch_size", heads, time, config.width / heads];
  const numbers = Array.from({ length: config.decoderLayers }, (_, i) => i);

  const sourceMask = graph.input("encoder_attention_mask", "int64", source);
  const ids = graph.input("input_ids", "int64", target);
  const encoded = graph.input("encoder_hidden_states", "float", [...source, config.width]);
  const given = numbers.map((i): Cached => {
    const pair = (side: string, time: string): KeysValues => ({
      keys: graph.input(`past_key_values.${i}.${side}.key`, "float", cache(time)),
      values: graph.input(`past_key_values.${i}.${side}.value`, "float", cache(time)),
    });
    return {
      own: pair("decoder", "past_decoder_sequence_length"),
      cross: pair("encoder", "encoder_sequence_length_out"),
    };
  });
  const useCache = graph.input("use_cache_branch", "bool", [1]);

  const past = pastOf(layers, config, given, { useCache, encoded, ids });
  const start = graph.node("Shape", [past[0]!.own.keys], { start: 2, end: 3 });
  const end = graph.node("Add", [start, graph.node("Shape", [ids], { start: 1, end: 2 })]);
  const causal = causalMask(graph, start, end);
  const mask = layers.sourceMask(sourceMask);
  let hidden = layers.embed(ids, targetEmbedding(config), start, end);
  const present = numbers.map((i): Cached => {
    const name = `model.decoder.layers.${i}`;
    const { own: before, cross } = past[i]!;
    const now = layers.keysValues(hidden, `${name}.self_attn`, heads);
    const own = {
      keys: graph.node("Concat", [before.keys, now.keys], { axis: 2 }),
      values: graph.node("Concat", [before.values, now.values], { axis: 2 }),
    };
    hidden = layers.attend(hidden, own, causal, `${name}.self_attn`, heads);
    hidden = layers.attend(hidden, cross, mask, `${name}.encoder_attn`, heads);
    hidden = layers.feedForward(hidden, name);
    return { own, cross };
  });

  const logits = ended(graph, config, ids, layers.logits(hidden, targetEmbedding(config)));
  graph.output("logits", logits, "float", [...target, config.targetVocabulary]);
  for (const [i, { own, cross }] of present.entries()) {
    const pair = (side: string, { keys, values }: KeysValues, time: string) => {
      graph.output(`present.${i}.${side}.key`, keys, "float", cache(time));
      graph.output(`present.${i}.${side}.value`, values, "float", cache(time));
    };
    pair("decoder", own, "past_decoder_sequence_length + decoder_sequence_length");
    pair("encoder", cross, "encoder_sequence_length_out");
  }
  return graph.finish("decoder");
}

/** What each layer attends to: what was given, or without a cache an empty target and the source as the encoder left it. */
function pastOf(
  layers: OnnxLayers,
  config: MarianConfig,
  given: readonly Cached[],
  { useCache, encoded, ids }: { useCache: string; encoded: string; ids: string },
): Cached[] {
  const heads = config.decoderHeads;
  const values = layers.graph.either(
    useCache,
    4 * given.length,
    (branch) => given.flatMap(parts).map((value) => branch.node("Identity", [value])),
    (branch) => {
      const batch = branch.node("Shape", [ids], { start: 0, end: 1 });
      const shape = branch.node("Concat", [batch, branch.integers(heads, 0, config.width / heads)], {
        axis: 0,
      });
      const inner = layers.within(branch);
      return given.flatMap((_, i) => {
        const cross = inner.keysValues(encoded, `model.decoder.layers.${i}.encoder_attn`, heads);
        const empty = () => branch.node("ConstantOfShape", [shape]);
        return parts({ own: { keys: empty(), values: empty() }, cross });
      });
    },
  );
  return given.map((_, i) => {
    const [keys, own, crossKeys, crossValues] = values.slice(4 * i) as [string, string, string, string];
    return { own: { keys, values: own }, cross: { keys: crossKeys, values: crossValues } };
  });
}

/** What is added to scores so that no position looks ahead, [time, past + time]; `start` and `end` are [1]. */
function causalMask(graph: OnnxBuilder, start: string, end: string): string {
  const number = (value: string) => graph.node("Squeeze", [value, graph.integers(0)]);
  const [first, last] = [number(start), number(end)];
  const keys = graph.node("Range", [graph.integer(0), last, graph.integer(1)]);
  const queries = graph.node("Range", [first, last, graph.integer(1)]);
  const below = graph.node("Unsqueeze", [queries, graph.integers(1)]);
  const ahead = graph.node("Greater", [keys, below]);
  return graph.node("Where", [ahead, graph.scalar(MASKED), graph.scalar(0)]);
}

/** Logits, but behind end-of-sentence those of certain end-of-sentence. */
function ended(graph: OnnxBuilder, config: MarianConfig, ids: string, logits: string): string {
  // A decoder that starts with end-of-sentence has to say something behind it.
  if (config.decoderStartId === config.eosId) return logits;
  const certain = new Float32Array(config.targetVocabulary).fill(MASKED);
  certain[config.eosId] = 0;
  const over = graph.node("Equal", [ids, graph.integer(config.eosId)]);
  const rows = graph.node("Unsqueeze", [over, graph.integers(-1)]);
  return graph.node("Where", [rows, graph.floats("certain.end", certain, [certain.length]), logits]);
}
