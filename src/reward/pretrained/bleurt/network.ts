/** BLEURT's network: RemBERT's encoder, the tanh of a layer over `[CLS]`, and one number of that. */

import { type BertEncoderConfig, bertEncoder, bertEncoderSpecs } from "../../../model/bert-encoder.js";
import { Graph, type Value } from "../../../tensor/graph.js";
import { add, matmul, takeRows, tanh } from "../../../tensor/operations.js";

/** The weights by name with their shapes: those of `bertEncoderSpecs`, and `pooler` and `head`. Matrices are [out, in]. */
export function bleurtShapes(config: BertEncoderConfig): Map<string, readonly number[]> {
  return new Map([
    ...bertEncoderSpecs(config).map(({ name, shape }) => [name, shape] as const),
    ...headShapes(config),
  ]);
}

function headShapes({ width }: BertEncoderConfig): readonly (readonly [string, readonly number[]])[] {
  return [
    ["pooler.weight", [width, width]],
    ["pooler.bias", [width]],
    ["head.weight", [1, width]],
    ["head.bias", [1]],
  ];
}

export interface BleurtGraph {
  readonly graph: Graph;
  /** The hidden states of the last layer, [batch*time, width]. */
  readonly states: Value;
  /** The scores, [batch, 1]. */
  readonly scores: Value;
}

/**
 * Records the network. Inputs are `ids` and `types` [batch, time], `positions` [time], `mask` [batch, 1, 1, time], 0 at a token
 * and very negative at padding, and `starts` [batch], the rows of `[CLS]` among batch*time.
 */
export function bleurtGraph(config: BertEncoderConfig): BleurtGraph {
  const graph = new Graph();
  const shapes = new Map(headShapes(config));
  const linear = (x: Value, name: string) => {
    const weight = graph.parameter(`${name}.weight`, shapes.get(`${name}.weight`)!);
    return add(
      matmul(x, weight, { transB: true }),
      graph.parameter(`${name}.bias`, shapes.get(`${name}.bias`)!),
    );
  };
  const states = bertEncoder(graph, config, {
    ids: graph.input("ids", ["batch", "time"], "int64"),
    types: graph.input("types", ["batch", "time"], "int64"),
    positions: graph.input("positions", ["time"], "int64"),
    mask: graph.input("mask", ["batch", 1, 1, "time"]),
  }).at(-1)!;
  const first = takeRows(states, graph.input("starts", ["batch"], "int64"));
  return { graph, states, scores: linear(tanh(linear(first, "pooler")), "head") };
}
