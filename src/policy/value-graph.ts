/** The graph of a value function: the encoder-decoder body and one scalar a target position. */

import type { MarianConfig } from "../model/config.js";
import { Marian, parameterSpecs } from "../model/marian.js";
import { Graph, type Value } from "../tensor/graph.js";
import { add, mul, reshape, sub, sum, takeRows, total } from "../tensor/operations.js";
import type { ParameterSpec } from "../tensor/parameters.js";
import { floatData, floats, type Tensor } from "../tensor/program.js";
import type { Group } from "./batches.js";
import { type BatchFeeder, type DropoutSite, dropoutSites, recordTeacherForcing } from "./network.js";
import type { TrainingTask } from "./training.js";

const WEIGHT = "value_head.weight";
export const VALUE_BIAS = "value_head.bias";

/** The weights of the head, in storage order. */
export function valueHeadSpecs(config: MarianConfig): ParameterSpec[] {
  return [
    { name: WEIGHT, shape: [1, config.width], decay: true },
    { name: VALUE_BIAS, shape: [1], decay: false },
  ];
}

export interface ValueGraph {
  readonly graph: Graph;
  readonly loss: Value;
  /** V(sₜ) [token]: the state before token t is chosen. */
  readonly values: Value;
  readonly sites: readonly DropoutSite[];
}

/** V(sₜ) = w·hₜ + b, taught by Σ weight·(V(sₜ) − Gₜ)² on the returns Gₜ (behaviour value estimation, paper A.8.1). */
export function valueGraph(config: MarianConfig, options: { dropout: boolean }): ValueGraph {
  const graph = new Graph();
  const { sites, regularise } = dropoutSites(graph);
  const marian = new Marian(graph, config, {
    specs: [...parameterSpecs(config), ...valueHeadSpecs(config)],
    ...(options.dropout ? { regularise } : {}),
  });
  const rows = takeRows(recordTeacherForcing(marian), graph.input("tokenRows", ["token"], "int64"));
  // A product and a sum: a matrix product with a single column may round differently for each number of rows.
  const sums = sum(mul(rows, marian.weight(WEIGHT)), [1]);
  const values = reshape(add(sums, marian.weight(VALUE_BIAS)), ["token"]);
  const error = sub(values, graph.input("column.returns", ["token"]));
  const loss = total(mul(graph.input("weight", ["token"]), mul(error, error)));
  return { graph, loss, values, sites };
}

/** Teaches a value function: every target has a column `returns`. The loss that is reported is the mean squared error. */
export function valueTask(feeder: BatchFeeder) {
  const returnsOf = (groups: readonly Group[]): Float32Array =>
    Float32Array.from(
      groups.flatMap(({ targets }) => targets.flatMap(({ columns }) => Array.from(columns!.returns!))),
    );
  return {
    batch: (groups: readonly Group[], scale: number) => {
      const batch = feeder.batch(groups, scale);
      const returns = returnsOf(groups);
      return { ...batch, feeds: { ...batch.feeds, "column.returns": floats(returns, [returns.length]) } };
    },
    size: (group: Group) => group.targets.reduce((n, { tokens }) => n + tokens.length, 0),
    loss: (groups: readonly Group[], { values }: Readonly<Record<string, Tensor>>) => {
      const found = floatData(values);
      return returnsOf(groups).reduce((loss, ret, t) => loss + (found[t]! - ret) ** 2, 0);
    },
  } satisfies TrainingTask;
}
