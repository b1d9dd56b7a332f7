/**
 * Matrices in 8 bits: each row of a stored matrix has a scale of its own, activations are put into 8 bits as they come
 * (`DynamicQuantizeLinear`), and products are of whole numbers. Biases, normalisations and attention stay 32-bit.
 */

import type { Parameters } from "../../tensor/parameters.js";
import { FLOAT, type OnnxBuilder } from "./builder.js";
import { shapeOf, transposed, vectorOf, type Weights } from "./weights.js";

/** The byte that stands for 0. Unsigned: kernels for signed weights saturate on processors without VNNI. */
const ZERO = 128;
/** Bytes go as far from `ZERO` on either side. */
const MOST = 127;

/** A matrix in bytes: row r's weights are (byte − 128)·scales[r]. */
export interface QuantisedMatrix {
  readonly bytes: Uint8Array;
  /** One a row, positive. */
  readonly scales: Float32Array;
}

/** Puts each row of a matrix [rows, columns] into 8 bits: its largest weight becomes 127 from `ZERO`, others the nearest byte. */
export function quantise(matrix: Float32Array, rows: number, columns: number): QuantisedMatrix {
  const bytes = new Uint8Array(matrix.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * columns, (row + 1) * columns];
    let largest = 0;
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(matrix[i]!));
    const scale = largest === 0 ? 1 : Math.fround(largest / MOST);
    scales[row] = scale;
    for (let i = start; i < end; i++) {
      const steps = Math.round(matrix[i]! / scale);
      bytes[i] = ZERO + Math.min(MOST, Math.max(-MOST, steps));
    }
  }
  return { bytes, scales };
}

export class Int8Weights implements Weights {
  readonly #parameters: Parameters;
  readonly #quantised = new Map<string, QuantisedMatrix>();
  /** Activations in 8 bits that several layers use, for each graph by name. */
  readonly #activations = new WeakMap<OnnxBuilder, Map<string, string[]>>();

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
  }

  linear(graph: OnnxBuilder, x: string, name: string): string {
    const weight = `${name}.weight`;
    const { bytes, scales } = this.#matrix(weight);
    const [out, from] = shapeOf(this.#parameters, weight);
    const turned = graph.bytes(weight, transposed(bytes, out, from), [from, out]);
    const product = this.#product(graph, x, turned, graph.floats(`${weight}.scale`, scales, [out]));
    return graph.node("Add", [product, this.vector(graph, `${name}.bias`)]);
  }

  rows(graph: OnnxBuilder, ids: string, name: string): string {
    const { matrix, scales } = this.#stored(graph, name);
    const bytes = graph.node("Cast", [graph.node("Gather", [matrix, ids])], { to: FLOAT });
    const steps = graph.node("Sub", [bytes, graph.scalar(ZERO)]);
    const own = graph.node("Unsqueeze", [graph.node("Gather", [scales, ids]), graph.integers(-1)]);
    return graph.node("Mul", [steps, own]);
  }

  withRows(graph: OnnxBuilder, x: string, name: string): string {
    const { matrix, scales } = this.#stored(graph, name);
    return this.#product(graph, x, graph.node("Transpose", [matrix], { perm: [1, 0] }), scales);
  }

  vector(graph: OnnxBuilder, name: string): string {
    return vectorOf(graph, this.#parameters, name);
  }

  /** x·W for bytes W [from, out] with a scale for each column, in the pattern that ONNX Runtime makes one kernel of. */
  #product(graph: OnnxBuilder, x: string, weight: string, scales: string): string {
    const [steps, scale, zero] = this.#activation(graph, x) as [string, string, string];
    const own = graph.bytes("zero.point", Uint8Array.of(ZERO));
    const whole = graph.node("MatMulInteger", [steps, weight, zero, own]);
    const real = graph.node("Cast", [whole], { to: FLOAT });
    return graph.node("Mul", [real, graph.node("Mul", [scale, scales])]);
  }

  #activation(graph: OnnxBuilder, x: string): string[] {
    const known = this.#activations.get(graph) ?? new Map<string, string[]>();
    this.#activations.set(graph, known);
    const made = known.get(x) ?? graph.nodes("DynamicQuantizeLinear", [x], 3);
    known.set(x, made);
    return made;
  }

  #stored(graph: OnnxBuilder, name: string): { matrix: string; scales: string } {
    const [rows, columns] = shapeOf(this.#parameters, name);
    const { bytes, scales } = this.#matrix(name);
    return {
      matrix: graph.bytes(name, bytes, [rows, columns]),
      scales: graph.floats(`${name}.scale`, scales, [rows]),
    };
  }

  #matrix(name: string): QuantisedMatrix {
    const known = this.#quantised.get(name);
    if (known) return known;
    const [rows, columns] = shapeOf(this.#parameters, name);
    const made = quantise(this.#parameters.view(name), rows, columns);
    this.#quantised.set(name, made);
    return made;
  }
}
