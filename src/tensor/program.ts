/** A lowered graph, loaded into ONNX Runtime and ready to run. */

import "./telemetry.js";
import * as ort from "onnxruntime-node";
import { UserError } from "../errors.js";
import type { Graph, Value } from "./graph.js";
import { dimensionInput, lower } from "./lower.js";

/**
 * Data with dimensions, over a typed array that JavaScript owns; made by the functions below alone. Not ONNX Runtime's own
 * type, whose declarations ask for those of a browser.
 */
export interface Tensor {
  readonly data: ArrayLike<number | bigint | string | boolean>;
  readonly dims: readonly number[];
}

export interface ProgramOptions {
  /** Threads of one run; absent: COPPICE_THREADS of the environment, else one for every core. */
  threads?: number;
  /**
   * Parameters that become part of the program, by name; it keeps its own copy. Those need not be fed, and their
   * products are faster and depend on neither rows nor threads (see decoder.ts). All others are fed at every run.
   */
  weights?: Readonly<Record<string, Float32Array>>;
}

/**
 * Threads are no part of a configuration. Programs compiled with their weights give the same bits for any number of
 * them; programs whose weights are fed, as in training, differ in the last bits (test/tensor/engine.test.ts).
 */
function defaultThreads(): number | undefined {
  const given = process.env.COPPICE_THREADS;
  if (given === undefined || given === "") return undefined;
  const threads = Number(given);
  if (!Number.isInteger(threads) || threads < 1)
    throw new UserError(`COPPICE_THREADS is "${given}" but must be a whole number of 1 or more.`);
  return threads;
}

/** A float32 tensor over `data`, not copied. */
export function floats(data: Float32Array, dims: readonly number[]): Tensor {
  return new ort.Tensor("float32", data, dims);
}

/** A float64 tensor over `data`, not copied. */
export function doubles(data: Float64Array, dims: readonly number[]): Tensor {
  return new ort.Tensor("float64", data, dims);
}

/** An int64 tensor with the numbers of `data`. */
export function integers(data: ArrayLike<number> & Iterable<number>, dims: readonly number[]): Tensor {
  const wide = new BigInt64Array(data.length);
  // Every id here is a small non-negative number: writing the low halves is far cheaper than making BigInts.
  const halves = new Int32Array(wide.buffer);
  for (let i = 0; i < data.length; i++) halves[2 * i] = data[i]!;
  return new ort.Tensor("int64", wide, dims);
}

/** The numbers of a float32 output. */
export function floatData(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error("expected a float32 tensor");
  return tensor.data;
}

/**
 * One ONNX Runtime session. `run` blocks the thread it is called on, so programs live in a worker (thread.ts), and a
 * thread must not be ended while it runs.
 */
export class Program {
  readonly #session: ort.InferenceSession;
  readonly #symbols: readonly string[];
  readonly #dimensions = new Map<string, Tensor>();

  private constructor(session: ort.InferenceSession, symbols: readonly string[]) {
    this.#session = session;
    this.#symbols = symbols;
  }

  /** Builds the program that computes `outputs` (name to value). */
  static async compile(
    graph: Graph,
    outputs: Readonly<Record<string, Value>>,
    options: ProgramOptions = {},
  ): Promise<Program> {
    const model = lower(graph, outputs, options.weights);
    const threads = options.threads ?? defaultThreads();
    const session = await ort.InferenceSession.create(model.bytes, {
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      graphOptimizationLevel: "all",
      // Spinning threads would take the core that JavaScript works on between runs.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
      logSeverityLevel: 3,
    });
    return new Program(session, model.symbols);
  }

  get outputNames(): readonly string[] {
    return this.#session.outputNames;
  }

  /**
   * Runs the program. `feeds` holds every input and parameter by name, `symbols` the value of every symbolic
   * dimension; an output named in `into` is written into that tensor's buffer, the others get buffers of their own. The
   * runtime copies every output that it returns, those in `into` too: large ones cost.
   */
  async run(
    feeds: Readonly<Record<string, Tensor>>,
    symbols: Readonly<Record<string, number>> = {},
    into: Readonly<Record<string, Tensor>> = {},
  ): Promise<Record<string, Tensor>> {
    const all: Record<string, Tensor> = {};
    for (const name of this.#session.inputNames) {
      const feed = feeds[name];
      if (feed) all[name] = feed;
    }
    for (const symbol of this.#symbols) all[dimensionInput(symbol)] = this.#dimension(symbol, symbols);
    const fetches: Record<string, Tensor | null> = {};
    for (const name of this.#session.outputNames) fetches[name] = into[name] ?? null;
    // Whoever has a Tensor has it from here.
    const [given, wanted] = [all as Record<string, ort.Tensor>, fetches as Record<string, ort.Tensor | null>];
    return (await this.#session.run(given, wanted)) as Record<string, ort.Tensor>;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #dimension(symbol: string, symbols: Readonly<Record<string, number>>): Tensor {
    const value = symbols[symbol];
    if (value === undefined) throw new Error(`dimension ${symbol} has no value`);
    const key = `${symbol}=${value}`;
    const known = this.#dimensions.get(key) ?? integers([value], [1]);
    this.#dimensions.set(key, known);
    return known;
  }
}
