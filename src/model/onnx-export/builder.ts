/** Writes an ONNX model node by node: names for values, constants kept once, branches of an `If`. */

import onnxProto, { type onnx } from "onnx-proto";
import type { AttributeValue } from "../../tensor/attribute.js";
import { attribute, valueInfo } from "../../tensor/onnx.js";
import type { Shape } from "../../tensor/shape.js";

const { ModelProto } = onnxProto.onnx;
const { DataType } = onnxProto.onnx.TensorProto;
const { AttributeType } = onnxProto.onnx.AttributeProto;

/** The oldest opset with layer normalisation as one operator; ONNX Runtime 1.15 runs it. */
const OPSET = 17;
const IR_VERSION = 8;

/** Element types of what is fed and handed out. */
export type OnnxType = "float" | "int64" | "bool";

const TYPES: Readonly<Record<OnnxType, number>> = {
  float: DataType.FLOAT,
  int64: DataType.INT64,
  bool: DataType.BOOL,
};

/** ONNX's number for 32-bit real numbers, as `Cast` wants it. */
export const FLOAT = DataType.FLOAT;

type Attributes = Readonly<Record<string, AttributeValue>>;

/** One graph: a model's own, or a branch of an `If` in it, which sees all values of the graph around it. */
export class OnnxBuilder {
  readonly #nodes: onnx.INodeProto[] = [];
  readonly #inputs: onnx.IValueInfoProto[] = [];
  readonly #outputs: onnx.IValueInfoProto[] = [];
  /** Of the whole model, and shared with its branches. */
  readonly #constants: Map<string, onnx.ITensorProto>;
  readonly #names: { count: number };

  constructor(around?: OnnxBuilder) {
    this.#constants = around ? around.#constants : new Map();
    this.#names = around ? around.#names : { count: 0 };
  }

  input(name: string, type: OnnxType, shape: Shape): string {
    this.#inputs.push(valueInfo(name, TYPES[type], shape));
    return name;
  }

  /** Hands `value` out as `name`. */
  output(name: string, value: string, type: OnnxType, shape: Shape): void {
    this.#emit("Identity", [value], [name]);
    this.#outputs.push(valueInfo(name, TYPES[type], shape));
  }

  /** A node with one output, whose name is returned. */
  node(type: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodes(type, inputs, 1, attributes)[0]!;
  }

  /** A node with `count` outputs. */
  nodes(type: string, inputs: readonly string[], count: number, attributes: Attributes = {}): string[] {
    const outputs = this.#fresh(type, count);
    this.#emit(type, inputs, outputs, attributes);
    return outputs;
  }

  /**
   * The values that one of two branches makes, as `condition` ([1], bool) says. A branch builds its values in the graph that
   * it is given and returns their names, `count` of them: real values that the branch itself made.
   */
  either(
    condition: string,
    count: number,
    whenTrue: (branch: OnnxBuilder) => string[],
    whenFalse: (branch: OnnxBuilder) => string[],
  ): string[] {
    const outputs = this.#fresh("If", count);
    const branch = (name: string, build: (branch: OnnxBuilder) => string[]): onnx.IAttributeProto => {
      const inner = new OnnxBuilder(this);
      // Shapes are left to ONNX Runtime, which infers them.
      const output = build(inner).map((value) => ({
        name: value,
        type: { tensorType: { elemType: DataType.FLOAT } },
      }));
      return { name, type: AttributeType.GRAPH, g: { name, node: inner.#nodes, output } };
    };
    this.#nodes.push({
      opType: "If",
      name: outputs[0]!,
      input: [condition],
      output: outputs,
      attribute: [branch("then_branch", whenTrue), branch("else_branch", whenFalse)],
    });
    return outputs;
  }

  /** 32-bit real constants; without a shape one number. */
  floats(name: string, data: Float32Array, shape: readonly number[] = []): string {
    return this.#constant(name, DataType.FLOAT, shape, data);
  }

  /** A real number. */
  scalar(value: number): string {
    return this.floats(`scalar.${value}`, Float32Array.of(value));
  }

  /** A list of whole numbers. */
  integers(...values: number[]): string {
    return this.#constant(
      `integers.${values}`,
      DataType.INT64,
      [values.length],
      BigInt64Array.from(values, BigInt),
    );
  }

  /** One whole number, without an axis. */
  integer(value: number): string {
    return this.#constant(`integer.${value}`, DataType.INT64, [], BigInt64Array.of(BigInt(value)));
  }

  /** Unsigned bytes; without a shape one. */
  bytes(name: string, data: Uint8Array, shape: readonly number[] = []): string {
    return this.#constant(name, DataType.UINT8, shape, data);
  }

  finish(name: string): Uint8Array {
    const model = ModelProto.create({
      irVersion: IR_VERSION,
      producerName: "coppice",
      opsetImport: [{ domain: "", version: OPSET }],
      graph: {
        name,
        node: this.#nodes,
        initializer: [...this.#constants.values()],
        input: this.#inputs,
        output: this.#outputs,
      },
    });
    return ModelProto.encode(model).finish();
  }

  #fresh(type: string, count: number): string[] {
    return Array.from({ length: count }, () => `${type}.${this.#names.count++}`);
  }

  #emit(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
  ): void {
    this.#nodes.push({
      opType: type,
      name: outputs[0]!,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
  }

  #constant(
    name: string,
    dataType: number,
    dims: readonly number[],
    data: Float32Array | BigInt64Array | Uint8Array,
  ): string {
    if (!this.#constants.has(name)) {
      const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      this.#constants.set(name, { name, dataType, dims: [...dims], rawData });
    }
    return name;
  }
}
