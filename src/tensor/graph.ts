/** Records a computation as a graph of values; nothing is computed here (see differentiate.ts, lower.ts, program.ts). */

import { type Attributes, type OperationName, operations } from "./operations.js";
import type { Dim, Shape } from "./shape.js";

export type ElementType = "float" | "int64" | "bool";

/** One value of a graph: an input, a parameter, a constant, or what an operation makes. Immutable. */
export interface Value {
  readonly graph: Graph;
  readonly id: number;
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
  readonly source:
    | { readonly kind: "input" }
    | { readonly kind: "parameter" }
    | { readonly kind: "constant"; readonly data: readonly number[] }
    | {
        readonly kind: "operation";
        readonly operation: OperationName;
        readonly inputs: readonly Value[];
        readonly attributes: Attributes;
      }
    /** A further output of the operation that made `of` (layer normalisation's mean, say). */
    | { readonly kind: "auxiliary"; readonly of: Value; readonly output: number };
}

/** Real numbers of a graph are float32, or float64 where tests want exact differences. */
export type Precision = "float32" | "float64";

/**
 * A recording. Dimensions are numbers or symbols (`"batch"`); the values of all symbols are given when the graph is
 * run, so one program serves every batch size and length.
 */
export class Graph {
  readonly values: Value[] = [];
  readonly precision: Precision;
  readonly #names = new Map<string, number>();
  readonly #scope: string[] = [];
  readonly #constants = new Map<string, Value>();

  constructor(precision: Precision = "float32") {
    this.precision = precision;
  }

  /** Data given at every run. */
  input(name: string, shape: Shape, type: ElementType = "float"): Value {
    return this.#record({ name, shape, type, source: { kind: "input" } }, true);
  }

  /** A weight: differentiable, and given at every run like an input unless a program is compiled with it. */
  parameter(name: string, shape: readonly number[]): Value {
    return this.#record({ name, shape, type: "float", source: { kind: "parameter" } }, true);
  }

  constant(data: number | readonly number[], type: ElementType = "float"): Value {
    const list = typeof data === "number" ? [data] : data;
    const key = `${type}:${typeof data === "number" ? "" : "list"}:${list.join(",")}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const shape = typeof data === "number" ? [] : [data.length];
    const value = this.#record({ name: "constant", shape, type, source: { kind: "constant", data: list } });
    this.#constants.set(key, value);
    return value;
  }

  /** Records an operation; its shape comes from the table of operations, which throws on inputs that do not fit. */
  operation(operation: OperationName, inputs: readonly Value[], attributes: Attributes = {}): Value {
    const row = operations[operation];
    const shape = row.shape(
      inputs.map((input) => input.shape),
      attributes,
    );
    const type = row.type?.(inputs.map((input) => input.type)) ?? "float";
    return this.#record({
      name: operation,
      shape,
      type,
      source: { kind: "operation", operation, inputs, attributes },
    });
  }

  /** Output number `output` (from 1) of the operation that made `of`. */
  auxiliary(of: Value, output: number, shape: Shape): Value {
    const found = this.values.find(
      (value) =>
        value.source.kind === "auxiliary" && value.source.of === of && value.source.output === output,
    );
    return (
      found ??
      this.#record({
        name: `${of.name}.out${output}`,
        shape,
        type: "float",
        source: { kind: "auxiliary", of, output },
      })
    );
  }

  /** Names what `build` records after the part of the network it belongs to: `decoder.3.cross`. */
  scope<T>(name: string, build: () => T): T {
    this.#scope.push(name);
    try {
      return build();
    } finally {
      this.#scope.pop();
    }
  }

  #record(value: Omit<Value, "graph" | "id">, exactName = false): Value {
    const scoped = exactName ? value.name : [...this.#scope, value.name].join(".");
    const count = this.#names.get(scoped) ?? 0;
    if (exactName && count > 0) throw new Error(`the graph already has a value named ${scoped}`);
    this.#names.set(scoped, count + 1);
    const recorded: Value = {
      ...value,
      graph: this,
      id: this.values.length,
      name: count === 0 ? scoped : `${scoped}_${count}`,
    };
    this.values.push(recorded);
    return recorded;
  }
}

/** The symbols that a shape mentions: `["batch", "time"]` for `["batch*time", 512]`. */
export function symbolsOf(shape: Shape): string[] {
  return shape.flatMap((dim: Dim) =>
    typeof dim === "number" ? [] : dim.split("*").filter((part) => !/^\d+$/.test(part)),
  );
}
