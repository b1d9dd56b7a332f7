/** Minimises a scalar of a graph: runs forward and backward as one program and updates the weights. */

import { UserError } from "../errors.js";
import { gradients } from "./differentiate.js";
import type { Graph, Value } from "./graph.js";
import {
  type AdamWState,
  clipScale,
  createAdamWState,
  globalNorm,
  updateAdamW,
  updateAverage,
} from "./optimizer.js";
import type { Parameters } from "./parameters.js";
import { floatData, floats, Program, type ProgramOptions, type Tensor } from "./program.js";

export interface UpdateOptions {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Global norm to which gradients are clipped; Infinity: not at all. */
  readonly clipNorm: number;
  /** Decay of the moving average of weights; 0: none is kept. */
  readonly averageDecay: number;
}

/** Inputs of one forward and backward pass, without the parameters. */
export interface Batch {
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly symbols: Readonly<Record<string, number>>;
}

export interface UpdateResult {
  readonly loss: number;
  readonly gradientNorm: number;
}

/** Holds a compiled training program, gradients and optimizer state for one set of parameters. */
export class Trainer {
  readonly parameters: Parameters;
  readonly #program: Program;
  readonly #gradients: Parameters;
  readonly #gradientTensors: Record<string, Tensor>;
  /** Parameters that have no dense gradient, so that their part must be cleared before rows are added. */
  readonly #sparse: readonly string[];
  /** For each parameter with row gradients, how many outputs carry them. */
  readonly #rows: readonly { name: string; count: number }[];
  readonly #extra: readonly string[];
  /** Feeds of weights that stay as they are. */
  readonly #frozen: Readonly<Record<string, Tensor>>;
  readonly state: { adam: AdamWState; average: Float32Array | undefined };

  private constructor(
    parameters: Parameters,
    program: Program,
    dense: readonly string[],
    rows: readonly { name: string; count: number }[],
    extra: readonly string[],
    frozen: Parameters | undefined,
  ) {
    this.parameters = parameters;
    this.#program = program;
    this.#gradients = parameters.like();
    this.#gradientTensors = Object.fromEntries(
      dense.map(
        (name) => [`d.${name}`, floats(this.#gradients.view(name), parameters.spec(name).shape)] as const,
      ),
    );
    this.#sparse = rows.map((row) => row.name).filter((name) => !dense.includes(name));
    this.#rows = rows;
    this.#extra = extra;
    this.#frozen = frozen?.feeds() ?? {};
    this.state = { adam: createAdamWState(parameters.data.length), average: undefined };
  }

  /**
   * Compiles forward and backward of the scalar `loss`; `outputs` are further values to hand out at each pass. Weights of
   * the graph that stay as they are stand in `frozen`: they have neither gradients nor optimizer state.
   * @throws Error when a parameter of the set does not influence the loss.
   */
  static async compile(
    graph: Graph,
    loss: Value,
    parameters: Parameters,
    outputs: Readonly<Record<string, Value>> = {},
    { frozen, ...options }: ProgramOptions & { frozen?: Parameters } = {},
  ): Promise<Trainer> {
    const values = new Map(graph.values.filter((v) => v.source.kind === "parameter").map((v) => [v.name, v]));
    const trained = parameters.specs.filter((spec) => values.has(spec.name));
    const found = gradients(
      loss,
      trained.map((spec) => values.get(spec.name)!),
    );
    const all: Record<string, Value> = { loss, ...outputs };
    const dense: string[] = [];
    const rows: { name: string; count: number }[] = [];
    trained.forEach(({ name }, i) => {
      const gradient = found[i]!;
      if (!gradient.dense && gradient.rows.length === 0)
        throw new Error(`parameter ${name} does not influence the loss`);
      if (gradient.dense) {
        all[`d.${name}`] = gradient.dense;
        dense.push(name);
      }
      gradient.rows.forEach((row, j) => {
        all[`rows.${name}.${j}`] = row.rows;
        all[`ids.${name}.${j}`] = row.ids;
      });
      if (gradient.rows.length > 0) rows.push({ name, count: gradient.rows.length });
    });
    const program = await Program.compile(graph, all, options);
    return new Trainer(parameters, program, dense, rows, Object.keys(outputs), frozen);
  }

  /**
   * One optimizer update from the sum of the batches' gradients: each batch's loss should already be divided by what
   * the whole update is to be averaged over. Returns the summed loss; nothing changes when a gradient is not finite.
   * @throws UserError when the loss or a gradient is NaN or infinite.
   */
  async update(
    batches: readonly Batch[],
    options: UpdateOptions,
    onOutputs?: (outputs: Record<string, Tensor>) => void,
  ): Promise<UpdateResult> {
    const total = this.#gradients.data;
    const before = batches.length > 1 ? new Float32Array(total.length) : undefined;
    let loss = 0;
    for (const [i, batch] of batches.entries()) {
      for (const name of this.#sparse) this.#gradients.view(name).fill(0);
      const outputs = await this.#program.run(
        { ...this.#frozen, ...this.parameters.feeds(), ...batch.feeds },
        batch.symbols,
        this.#gradientTensors,
      );
      this.#addRows(outputs);
      loss += floatData(outputs.loss)[0]!;
      onOutputs?.(Object.fromEntries(this.#extra.map((name) => [name, outputs[name]!] as const)));
      if (before) {
        for (let j = 0; j < total.length; j++) before[j]! += total[j]!;
        if (i === batches.length - 1) total.set(before);
      }
    }
    const gradientNorm = globalNorm(total);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm))
      throw new UserError(
        `training diverged: loss ${loss}, gradient norm ${gradientNorm}. Lower the learning rate, or clip to a smaller norm.`,
      );
    const { averageDecay } = options;
    if (averageDecay > 0) this.state.average ??= this.parameters.data.slice();
    updateAdamW(this.parameters.data, total, this.state.adam, {
      learningRate: options.learningRate,
      beta2: 0.98,
      epsilon: 1e-9,
      weightDecay: options.weightDecay,
      gradientScale: clipScale(gradientNorm, options.clipNorm),
      ranges: this.parameters.ranges(),
    });
    if (averageDecay > 0) {
      // A young average would be mostly the starting weights: it opens up as steps are taken.
      const decay = Math.min(averageDecay, (1 + this.state.adam.step) / (10 + this.state.adam.step));
      updateAverage(this.state.average!, this.parameters.data, decay);
    }
    return { loss, gradientNorm };
  }

  async release(): Promise<void> {
    await this.#program.release();
  }

  /**
   * Adds row gradients in JavaScript: ONNX Runtime's ScatterND with `add` loses updates when an id repeats, and this
   * is faster than its other scatter kernels.
   */
  #addRows(outputs: Readonly<Record<string, Tensor>>): void {
    for (const { name, count } of this.#rows) {
      const target = this.#gradients.view(name);
      for (let i = 0; i < count; i++) {
        const ids = outputs[`ids.${name}.${i}`]!.data as BigInt64Array;
        addRows(target, ids, floatData(outputs[`rows.${name}.${i}`]));
      }
    }
  }
}

/** target[ids[k]] += rows[k], for rows of equal width; ids may repeat. */
export function addRows(target: Float32Array, ids: BigInt64Array, rows: Float32Array): void {
  const numbers = new Int32Array(ids.buffer, ids.byteOffset, ids.length * 2);
  const width = rows.length / ids.length;
  for (let k = 0; k < ids.length; k++) {
    const to = numbers[2 * k]! * width;
    const from = k * width;
    for (let j = 0; j < width; j++) target[to + j]! += rows[from + j]!;
  }
}
