/** A policy that is a table of logits, [state, action]: what a loss does to it can be told by hand. */

import type { Loss, LossTerms } from "../../../src/policy/loss.js";
import { Graph, type Precision, type Value } from "../../../src/tensor/graph.js";
import { embedding, logProb, logSoftmax } from "../../../src/tensor/operations.js";
import { Parameters } from "../../../src/tensor/parameters.js";
import { floats, integers, type Tensor } from "../../../src/tensor/program.js";
import { Trainer } from "../../../src/tensor/trainer.js";

export interface Recorded {
  readonly graph: Graph;
  readonly loss: Value;
  readonly seen: Readonly<Record<string, Value>>;
}

/** Records `loss` over logits [state, action] at the places `states` [token], with actions `targets` [token]. */
export function recordLoss(loss: Loss, states: number, actions: number, precision: Precision): Recorded {
  const graph = new Graph(precision);
  const table = graph.parameter("table", [states, actions]);
  const logits = embedding(table, graph.input("states", ["token"], "int64"));
  const targets = graph.input("targets", ["token"], "int64");
  const logProbs = logProb(logits, targets);
  const inputs = new Map<string, Value>();
  const input = (name: string, shape: (number | string)[]) => {
    const value = inputs.get(name) ?? graph.input(name, shape);
    inputs.set(name, value);
    return value;
  };
  const terms: LossTerms = {
    graph,
    logProbs,
    exactLogProbs: logProbs,
    allLogProbs: () => logSoftmax(logits),
    weight: graph.input("weight", ["token"]),
    column: (name) => input(`column.${name}`, ["token"]),
    distribution: (of) => input(`distribution.${of}`, ["token", actions]),
  };
  const { loss: value, seen } = loss.record(terms);
  return { graph, loss: value, seen: seen ?? {} };
}

export function logSoftmaxOf(logits: ArrayLike<number>): number[] {
  const row = Array.from(logits);
  const largest = Math.max(...row);
  const logSum = largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return row.map((logit) => logit - logSum);
}

/** One token of a data set: sequences follow one another, each of `lengths` tokens. */
export interface Step {
  readonly state: number;
  readonly action: number;
  readonly weight?: number;
  readonly columns?: Readonly<Record<string, number>>;
}

export class TablePolicy {
  readonly #actions: number;
  readonly #loss: Loss;
  readonly #parameters: Parameters;
  readonly #behavior: Float32Array;
  readonly #trainer: Trainer;
  readonly #seen: readonly string[];

  private constructor(
    actions: number,
    loss: Loss,
    parameters: Parameters,
    trainer: Trainer,
    seen: readonly string[],
  ) {
    this.#actions = actions;
    this.#loss = loss;
    this.#parameters = parameters;
    this.#behavior = parameters.data.slice();
    this.#trainer = trainer;
    this.#seen = seen;
  }

  /** Starts from `logits` [state, action], which stay the behaviour policy. */
  static async create(loss: Loss, logits: readonly (readonly number[])[]): Promise<TablePolicy> {
    const [states, actions] = [logits.length, logits[0]!.length];
    const { graph, loss: value, seen } = recordLoss(loss, states, actions, "float32");
    const parameters = new Parameters(
      [{ name: "table", shape: [states, actions], decay: false }],
      Float32Array.from(logits.flat()),
    );
    const trainer = await Trainer.compile(graph, value, parameters, seen, { threads: 1 });
    return new TablePolicy(actions, loss, parameters, trainer, Object.keys(seen));
  }

  /** π(·|state). */
  probabilities(state: number): number[] {
    return this.#row(this.#parameters.data, state).map(Math.exp);
  }

  /** `updates` updates of Adam on the whole data set. */
  async train(
    data: readonly Step[],
    lengths: readonly number[],
    updates: number,
    learningRate = 0.05,
  ): Promise<void> {
    const old = new Float32Array(this.#parameters.data.length);
    const size = data.reduce((sum, { weight }) => sum + (weight ?? 1), 0);
    const columns = Object.fromEntries(
      this.#loss.columns.map((name) => [name, Float32Array.from(data, (step) => step.columns![name]!)]),
    );
    for (let update = 0; update < updates; update++) {
      if (this.#loss.old && update % this.#loss.old.every === 0) old.set(this.#parameters.data);
      const oldLogProbs = Float32Array.from(data, ({ state, action }) => this.#row(old, state)[action]!);
      const computed = this.#loss.compute?.({ lengths, columns, oldLogProbs, step: update, steps: updates });
      const feeds: Record<string, Tensor> = {
        states: integers(
          data.map(({ state }) => state),
          [data.length],
        ),
        targets: integers(
          data.map(({ action }) => action),
          [data.length],
        ),
        weight: floats(
          Float32Array.from(data, ({ weight }) => (weight ?? 1) / size),
          [data.length],
        ),
        "distribution.old": this.#distributions(old, data),
        "distribution.behavior": this.#distributions(this.#behavior, data),
      };
      for (const [name, column] of Object.entries({ ...columns, ...computed }))
        feeds[`column.${name}`] = floats(column, [data.length]);
      await this.#trainer.update(
        [{ feeds, symbols: { token: data.length } }],
        { learningRate, weightDecay: 0, clipNorm: Number.POSITIVE_INFINITY, averageDecay: 0 },
        (outputs) => {
          const seen = this.#seen.map((name) => [name, Number(outputs[name]!.data[0])] as const);
          this.#loss.learn?.(Object.fromEntries(seen));
        },
      );
    }
  }

  #row(table: Float32Array, state: number): number[] {
    return logSoftmaxOf(table.subarray(state * this.#actions, (state + 1) * this.#actions));
  }

  #distributions(table: Float32Array, data: readonly Step[]): Tensor {
    const rows = Float32Array.from(data.flatMap(({ state }) => this.#row(table, state)));
    return floats(rows, [data.length, this.#actions]);
  }
}
