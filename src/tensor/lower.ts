/** Turns a recorded graph into the bytes of one ONNX model. */

import onnxProto, { type onnx } from "onnx-proto";
import type { AttributeValue, FloatAttribute, TensorAttribute } from "./attribute.js";
import type { ElementType, Graph, Value } from "./graph.js";
import { symbolsOf } from "./graph.js";
import { attribute, valueInfo } from "./onnx.js";
import { operations } from "./operations.js";
import type { Shape } from "./shape.js";

/** The name under which the value of a symbolic dimension is fed. */
export function dimensionInput(symbol: string): string {
  return `dim.${symbol}`;
}

/**
 * What `lower` of an operation writes with. `node` makes the operation's own result; `temporary` makes a value on
 * the way to it and returns its name.
 */
export interface Lowering {
  node(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
    domain?: string,
    outputs?: number,
  ): void;
  nodeAs(
    name: string,
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): void;
  temporary(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string;
  /** Name of further output `index` (from 1). */
  output(index: number): string;
  /** A real constant. */
  scalar(value: number): string;
  /** A list of whole-number constants. */
  integers(values: readonly number[]): string;
  /** A shape at run time, from its constants and the fed dimensions. */
  shape(shape: Shape): string;
  /** A real-valued attribute. */
  float(value: number): FloatAttribute;
  /** ONNX's number for the graph's real type, as `Cast` wants it. */
  readonly realType: number;
  /** A real zero, as `ConstantOfShape` wants it. */
  readonly zero: TensorAttribute;
}

const { ModelProto } = onnxProto.onnx;
const { DataType } = onnxProto.onnx.TensorProto;

export interface LoweredModel {
  readonly bytes: Uint8Array;
  /** Symbols whose values must be fed. */
  readonly symbols: readonly string[];
}

/**
 * The ONNX model that computes `outputs` (name to value) of `graph`; what they do not need is left out. Parameters named
 * in `weights` become part of the model, all others are inputs.
 */
export function lower(
  graph: Graph,
  outputs: Readonly<Record<string, Value>>,
  weights: Readonly<Record<string, Float32Array>> = {},
): LoweredModel {
  const writer = new Writer(graph, weights);
  const needed = ancestors(Object.values(outputs));
  for (const value of graph.values) if (needed.has(value)) writer.value(value);
  for (const [name, value] of Object.entries(outputs)) writer.publish(name, value);
  return { bytes: writer.finish(), symbols: writer.symbols() };
}

function ancestors(outputs: readonly Value[]): Set<Value> {
  const needed = new Set<Value>();
  const waiting = [...outputs];
  for (let value = waiting.pop(); value; value = waiting.pop()) {
    if (needed.has(value)) continue;
    needed.add(value);
    if (value.source.kind === "operation") waiting.push(...value.source.inputs);
    if (value.source.kind === "auxiliary") waiting.push(value.source.of);
  }
  return needed;
}

class Writer {
  readonly #real: number;
  readonly #weights: Readonly<Record<string, Float32Array>>;
  readonly #nodes: onnx.INodeProto[] = [];
  readonly #initializers: onnx.ITensorProto[] = [];
  readonly #inputs: onnx.IValueInfoProto[] = [];
  readonly #outputs: onnx.IValueInfoProto[] = [];
  readonly #known = new Map<string, string>();
  readonly #symbols = new Set<string>();

  constructor(graph: Graph, weights: Readonly<Record<string, Float32Array>>) {
    this.#weights = weights;
    this.#real = graph.precision === "float32" ? DataType.FLOAT : DataType.DOUBLE;
  }

  symbols(): string[] {
    return [...this.#symbols];
  }

  value(value: Value): void {
    const { source } = value;
    const weight = source.kind === "parameter" ? this.#weights[value.name] : undefined;
    if (weight) {
      const rawData = new Uint8Array(weight.buffer, weight.byteOffset, weight.byteLength);
      this.#initializers.push({
        name: value.name,
        dataType: DataType.FLOAT,
        dims: value.shape.map(Number),
        rawData,
      });
    } else if (source.kind === "input" || source.kind === "parameter") {
      this.#inputs.push(valueInfo(value.name, this.#type(value.type), value.shape));
    } else if (source.kind === "constant") {
      this.#initializers.push(this.#tensor(value.name, source.data, value.type, value.shape.length === 0));
    } else if (source.kind === "operation") {
      const inputs = source.inputs.map((input) => nameOf(input));
      operations[source.operation].lower(this.#lowering(value), inputs, source.attributes, value);
    }
  }

  /** Gives a value the name under which the session hands it out. */
  publish(name: string, value: Value): void {
    this.#nodes.push({ opType: "Identity", input: [nameOf(value)], output: [name], name: `output.${name}` });
    this.#outputs.push(valueInfo(name, this.#type(value.type), value.shape));
  }

  finish(): Uint8Array {
    const dimensions = [...this.#symbols].map((symbol) =>
      valueInfo(dimensionInput(symbol), DataType.INT64, [1]),
    );
    const model = ModelProto.create({
      irVersion: 8,
      producerName: "coppice",
      opsetImport: [
        { domain: "", version: 18 },
        { domain: "com.microsoft", version: 1 },
      ],
      graph: {
        name: "coppice",
        node: this.#nodes,
        initializer: this.#initializers,
        input: [...this.#inputs, ...dimensions],
        output: this.#outputs,
      },
    });
    return ModelProto.encode(model).finish();
  }

  #type(type: ElementType): number {
    return type === "float" ? this.#real : type === "int64" ? DataType.INT64 : DataType.BOOL;
  }

  #lowering(value: Value): Lowering {
    let temporaries = 0;
    const emit: Lowering["nodeAs"] = (name, type, inputs, attributes) =>
      this.#emit(type, inputs, [name], attributes);
    return {
      node: (type, inputs, attributes, domain, outputs = 1) => {
        const names = Array.from({ length: outputs }, (_, i) =>
          i === 0 ? value.name : auxiliaryName(value, i),
        );
        this.#emit(type, inputs, names, attributes, domain);
      },
      nodeAs: emit,
      temporary: (type, inputs, attributes) => {
        const name = `${value.name}/${type}${temporaries++}`;
        emit(name, type, inputs, attributes);
        return name;
      },
      output: (index) => auxiliaryName(value, index),
      scalar: (number) =>
        this.#once(`scalar:${number}`, (name) => {
          this.#initializers.push(this.#tensor(name, [number], "float", true));
        }),
      integers: (numbers) => this.#integers(numbers),
      shape: (shape) => this.#shape(shape),
      float: (float) => ({ float }),
      realType: this.#real,
      zero: this.#tensor("", [0], "float", false),
    };
  }

  #emit(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    domain = "",
  ): void {
    this.#nodes.push({
      opType: type,
      domain,
      name: outputs[0]!,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
  }

  #once(key: string, make: (name: string) => void): string {
    const known = this.#known.get(key);
    if (known) return known;
    const name = `const/${key}`;
    this.#known.set(key, name);
    make(name);
    return name;
  }

  #integers(numbers: readonly number[]): string {
    return this.#once(`integers:${numbers}`, (name) => {
      this.#initializers.push(this.#tensor(name, numbers, "int64", false));
    });
  }

  #dimension(symbol: string): string {
    this.#symbols.add(symbol);
    return dimensionInput(symbol);
  }

  #shape(shape: Shape): string {
    const symbols = symbolsOf(shape);
    if (symbols.length === 0) return this.#integers(shape.map(Number));
    return this.#once(`shape:${shape}`, (name) => {
      const parts = shape.map((dim) => {
        if (typeof dim === "number") return this.#integers([dim]);
        return this.#once(`dim:${dim}`, (product) => {
          const factors = dim
            .split("*")
            .map((part) => (/^\d+$/.test(part) ? this.#integers([Number(part)]) : this.#dimension(part)));
          let result = factors[0]!;
          factors.slice(1).forEach((factor, i) => {
            const last = i === factors.length - 2;
            const next = last ? product : `${product}/${i}`;
            this.#emit("Mul", [result, factor], [next]);
            result = next;
          });
          if (factors.length === 1) this.#emit("Identity", [result], [product]);
        });
      });
      this.#emit("Concat", parts, [name], { axis: 0 });
    });
  }

  #tensor(name: string, data: readonly number[], type: ElementType, scalar: boolean): TensorAttribute {
    const dataType = this.#type(type);
    const raw =
      dataType === DataType.FLOAT
        ? Float32Array.from(data)
        : dataType === DataType.DOUBLE
          ? Float64Array.from(data)
          : dataType === DataType.INT64
            ? BigInt64Array.from(data, BigInt)
            : Uint8Array.from(data);
    return {
      name,
      dataType,
      dims: scalar ? [] : [data.length],
      rawData: new Uint8Array(raw.buffer),
    };
  }
}

function auxiliaryName(value: Value, index: number): string {
  return `${value.name}:${index}`;
}

function nameOf(value: Value): string {
  return value.source.kind === "auxiliary" ? auxiliaryName(value.source.of, value.source.output) : value.name;
}
