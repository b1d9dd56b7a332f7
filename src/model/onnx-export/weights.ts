/** How a network's matrices stand in an ONNX model and are multiplied with. */

import type { Parameters } from "../../tensor/parameters.js";
import type { OnnxBuilder } from "./builder.js";

/** Matrices under their names in a Hugging Face folder, without `.weight` for those of a linear layer. */
export interface Weights {
  /** x·Wᵀ + b of the layer `name`: x [batch, time, from] → [batch, time, out]. */
  linear(graph: OnnxBuilder, x: string, name: string): string;
  /** Rows of the matrix `name`: ids [batch, time] → [batch, time, width]. */
  rows(graph: OnnxBuilder, ids: string, name: string): string;
  /** x with every row of the matrix `name`: x [batch, time, width] → [batch, time, rows]. */
  withRows(graph: OnnxBuilder, x: string, name: string): string;
  /** A vector as it is. */
  vector(graph: OnnxBuilder, name: string): string;
}

/** 32-bit real numbers. */
export class FloatWeights implements Weights {
  readonly #parameters: Parameters;

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
  }

  linear(graph: OnnxBuilder, x: string, name: string): string {
    const weight = `${name}.weight`;
    const [out, from] = shapeOf(this.#parameters, weight);
    const turned = transposed(this.#parameters.view(weight), out, from);
    const product = graph.node("MatMul", [x, graph.floats(weight, turned, [from, out])]);
    return graph.node("Add", [product, this.vector(graph, `${name}.bias`)]);
  }

  rows(graph: OnnxBuilder, ids: string, name: string): string {
    return graph.node("Gather", [this.#matrix(graph, name), ids]);
  }

  withRows(graph: OnnxBuilder, x: string, name: string): string {
    // Stored once, for both uses: ONNX Runtime turns it when it loads the model.
    const turned = graph.node("Transpose", [this.#matrix(graph, name)], { perm: [1, 0] });
    return graph.node("MatMul", [x, turned]);
  }

  vector(graph: OnnxBuilder, name: string): string {
    return vectorOf(graph, this.#parameters, name);
  }

  #matrix(graph: OnnxBuilder, name: string): string {
    return graph.floats(name, this.#parameters.view(name), shapeOf(this.#parameters, name));
  }
}

export function vectorOf(graph: OnnxBuilder, parameters: Parameters, name: string): string {
  const data = parameters.view(name);
  return graph.floats(name, data, [data.length]);
}

export function shapeOf(parameters: Parameters, name: string): [rows: number, columns: number] {
  const [rows, columns] = parameters.spec(name).shape;
  if (rows === undefined || columns === undefined) throw new Error(`${name} is not a matrix`);
  return [rows, columns];
}

/** [rows, columns] → [columns, rows]. */
export function transposed<T extends Float32Array | Uint8Array>(matrix: T, rows: number, columns: number): T {
  const turned = matrix.slice() as T;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = matrix[row * columns + column]!;
  return turned;
}
