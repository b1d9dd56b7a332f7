/** Layers of the Marian network as standard ONNX operators; the equations are marian.ts's. */

import type { MarianConfig } from "../config.js";
import { MASKED, positionTable } from "../marian.js";
import { FLOAT, type OnnxBuilder } from "./builder.js";
import type { Weights } from "./weights.js";

/** Keys and values of one attention, [batch, head, time, perHead]. */
export interface KeysValues {
  readonly keys: string;
  readonly values: string;
}

/** Layers written into one graph. Hidden states are [batch, time, width]. */
export class OnnxLayers {
  readonly graph: OnnxBuilder;
  readonly #config: MarianConfig;
  readonly #weights: Weights;

  constructor(graph: OnnxBuilder, config: MarianConfig, weights: Weights) {
    this.graph = graph;
    this.#config = config;
    this.#weights = weights;
  }

  /** The same layers in a branch. */
  within(graph: OnnxBuilder): OnnxLayers {
    return new OnnxLayers(graph, this.#config, this.#weights);
  }

  /** Rows of the matrix `name` and positions from `start` to before `end`, both [1]. */
  embed(ids: string, name: string, start: string, end: string): string {
    const { graph } = this;
    const { width, maxPositions, scaleEmbedding } = this.#config;
    const rows = this.#weights.rows(graph, ids, name);
    const scaled = scaleEmbedding ? graph.node("Mul", [rows, graph.scalar(Math.sqrt(width))]) : rows;
    const table = graph.floats("positions", positionTable(maxPositions, width), [maxPositions, width]);
    return graph.node("Add", [scaled, graph.node("Slice", [table, start, end, graph.integers(0)])]);
  }

  /** What is added to scores, from a mask of sources: [batch, time] with 1 and 0 → [batch, 1, 1, time]. */
  sourceMask(mask: string): string {
    const { graph } = this;
    const real = graph.node("Cast", [mask], { to: FLOAT });
    const padded = graph.node("Sub", [graph.scalar(1), real]);
    const shape = graph.node("Unsqueeze", [padded, graph.integers(1, 2)]);
    return graph.node("Mul", [shape, graph.scalar(MASKED)]);
  }

  keysValues(x: string, name: string, heads: number): KeysValues {
    return {
      keys: this.#heads(this.#weights.linear(this.graph, x, `${name}.k_proj`), heads),
      values: this.#heads(this.#weights.linear(this.graph, x, `${name}.v_proj`), heads),
    };
  }

  /** Attention of `x` to keys and values, its residual and normalisation. */
  attend(x: string, { keys, values }: KeysValues, mask: string, name: string, heads: number): string {
    const { graph } = this;
    const { width } = this.#config;
    const query = this.#heads(this.#weights.linear(graph, x, `${name}.q_proj`), heads);
    const scaled = graph.node("Mul", [query, graph.scalar(1 / Math.sqrt(width / heads))]);
    const turned = graph.node("Transpose", [keys], { perm: [0, 1, 3, 2] });
    const scores = graph.node("Add", [graph.node("MatMul", [scaled, turned]), mask]);
    const mixed = graph.node("MatMul", [graph.node("Softmax", [scores], { axis: -1 }), values]);
    const beside = graph.node("Transpose", [mixed], { perm: [0, 2, 1, 3] });
    const joined = graph.node("Reshape", [beside, graph.integers(0, 0, width)]);
    const out = this.#weights.linear(graph, joined, `${name}.out_proj`);
    return this.#norm(x, out, `${name}_layer_norm`);
  }

  feedForward(x: string, name: string): string {
    const inner = this.#activate(this.#weights.linear(this.graph, x, `${name}.fc1`));
    const out = this.#weights.linear(this.graph, inner, `${name}.fc2`);
    return this.#norm(x, out, `${name}.final_layer_norm`);
  }

  /** Logits of all tokens, [batch, time, vocabulary]. */
  logits(x: string, embedding: string): string {
    const product = this.#weights.withRows(this.graph, x, embedding);
    return this.graph.node("Add", [product, this.#weights.vector(this.graph, "final_logits_bias")]);
  }

  /** [batch, time, width] → [batch, head, time, perHead]; a 0 keeps an axis as it is. */
  #heads(x: string, heads: number): string {
    const shape = this.graph.integers(0, 0, heads, this.#config.width / heads);
    return this.graph.node("Transpose", [this.graph.node("Reshape", [x, shape])], { perm: [0, 2, 1, 3] });
  }

  #norm(x: string, out: string, name: string): string {
    const inputs = [
      this.graph.node("Add", [x, out]),
      this.#weights.vector(this.graph, `${name}.weight`),
      this.#weights.vector(this.graph, `${name}.bias`),
    ];
    return this.graph.node("LayerNormalization", inputs, { axis: -1, epsilon: { float: 1e-5 } });
  }

  #activate(x: string): string {
    const { graph } = this;
    switch (this.#config.activation) {
      case "relu":
        return graph.node("Relu", [x]);
      case "swish":
        return graph.node("Mul", [x, graph.node("Sigmoid", [x])]);
      case "gelu": {
        // x·(1 + erf(x/√2))/2: `Gelu` itself came with opset 20.
        const error = graph.node("Erf", [graph.node("Div", [x, graph.scalar(Math.SQRT2)])]);
        const gate = graph.node("Add", [error, graph.scalar(1)]);
        return graph.node("Mul", [graph.node("Mul", [x, gate]), graph.scalar(0.5)]);
      }
    }
  }
}
