/** The encoder as an ONNX model with the inputs and outputs that Transformers.js and Optimum give one. */

import type { MarianConfig } from "../config.js";
import { sourceEmbedding } from "../marian.js";
import { OnnxBuilder } from "./builder.js";
import { OnnxLayers } from "./layers.js";
import type { Weights } from "./weights.js";

/** Bytes of the model: `input_ids`, `attention_mask` [batch, sourceTime] → `last_hidden_state` [batch, sourceTime, width]. */
export function encoderModel(config: MarianConfig, weights: Weights): Uint8Array {
  const graph = new OnnxBuilder();
  const layers = new OnnxLayers(graph, config, weights);
  const shape = ["batch_size", "encoder_sequence_length"];
  const ids = graph.input("input_ids", "int64", shape);
  const mask = layers.sourceMask(graph.input("attention_mask", "int64", shape));
  const length = graph.node("Shape", [ids], { start: 1, end: 2 });
  let hidden = layers.embed(ids, sourceEmbedding(config), graph.integers(0), length);
  for (let i = 0; i < config.encoderLayers; i++) {
    const name = `model.encoder.layers.${i}`;
    const own = layers.keysValues(hidden, `${name}.self_attn`, config.encoderHeads);
    hidden = layers.attend(hidden, own, mask, `${name}.self_attn`, config.encoderHeads);
    hidden = layers.feedForward(hidden, name);
  }
  graph.output("last_hidden_state", hidden, "float", [...shape, config.width]);
  return graph.finish("encoder");
}
