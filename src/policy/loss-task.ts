/** Makes batches of target tokens into the inputs of a loss's graph, with what policies held still say of them. */

import { floatData, floats, type Program, type Tensor } from "../tensor/program.js";
import type { Batch } from "../tensor/trainer.js";
import { type Group, withTwin } from "./batches.js";
import type { Loss, Still } from "./loss.js";
import { type BatchFeeder, distributionInput, type TokenGraph } from "./network.js";
import type { TrainingTask } from "./training.js";

/** What tells how likely tokens are under weights that are fed: `logProbs` [token], `distributions` [token, vocab]. */
export interface Scorers {
  readonly tokens: Program;
  readonly distributions: Program;
}

/** Weights that are held still. */
export interface StillWeights {
  /** Those that training changes: all of a policy, or its adapter. */
  readonly data: Float32Array;
  /** What the scorers are fed. */
  feeds(): Readonly<Record<string, Tensor>>;
}

export interface StillPolicies {
  readonly scorers: Scorers;
  readonly old: StillWeights;
  /** Absent where the loss does not ask for it. */
  readonly behavior?: Pick<StillWeights, "feeds">;
}

/** The names under which a graph hands out what its loss wants to see. */
export function seenOutputs({ seen }: TokenGraph) {
  return Object.fromEntries(Object.entries(seen).map(([name, value]) => [`seen.${name}`, value] as const));
}

/** Whether a recorded graph reads the distributions of a policy that is held still. */
export function reads({ graph }: TokenGraph, of: Still): boolean {
  return graph.values.some(({ name }) => name === distributionInput(of));
}

export class LossTask implements TrainingTask {
  readonly #feeder: BatchFeeder;
  readonly #graph: TokenGraph;
  readonly #loss: Loss;
  readonly #still: StillPolicies | undefined;

  /** `still` is needed where the loss keeps an old copy or reads distributions. */
  constructor(feeder: BatchFeeder, graph: TokenGraph, loss: Loss, still?: StillPolicies) {
    this.#feeder = feeder;
    this.#graph = graph;
    this.#loss = loss;
    this.#still = still;
  }

  begin(step: number, weights: Float32Array): void {
    if (this.#loss.old && step % this.#loss.old.every === 0) this.#still!.old.data.set(weights);
  }

  async batch(given: readonly Group[], scale: number, at: { step: number; steps: number }): Promise<Batch> {
    const groups = withTwin(given);
    const batch = this.#feeder.batch(groups, scale);
    const tokens = batch.symbols.token!;
    const carried = columnsOf(groups, this.#loss.columns, tokens);
    const feeds: Record<string, Tensor> = { ...batch.feeds };
    let oldLogProbs = new Float32Array(0);
    for (const of of ["old", "behavior"] as const) {
      const distributions = reads(this.#graph, of);
      const wanted = distributions || (of === "old" && this.#loss.old !== undefined);
      if (!wanted) continue;
      const { scorers, [of]: policy } = this.#still!;
      const scorer = distributions ? scorers.distributions : scorers.tokens;
      const outputs = await scorer.run({ ...policy!.feeds(), ...batch.feeds }, batch.symbols);
      if (distributions) feeds[distributionInput(of)] = outputs.distributions!;
      if (of === "old") oldLogProbs = Float32Array.from(floatData(outputs.logProbs));
    }
    const lengths = groups.flatMap(({ targets }) => targets.map((target) => target.tokens.length));
    const computed = this.#loss.compute?.({ lengths, columns: carried, oldLogProbs, ...at });
    for (const [name, column] of Object.entries({ ...carried, ...computed }))
      feeds[`column.${name}`] = floats(column, [tokens]);
    return { ...batch, feeds };
  }

  size(group: Group): number {
    return group.targets.reduce((sum, { weight, tokens }) => sum + weight * tokens.length, 0);
  }

  /** The weighted negative log-likelihood, whatever the loss: a figure that all losses can be compared by. */
  loss(groups: readonly Group[], outputs: Readonly<Record<string, Tensor>>): number {
    const logProbs = floatData(outputs.logProbs);
    let at = 0;
    let loss = 0;
    for (const { targets } of groups)
      for (const { tokens, weight } of targets)
        for (let i = 0; i < tokens.length; i++) loss -= weight * logProbs[at++]!;
    return loss;
  }

  learn(outputs: Readonly<Record<string, Tensor>>): void {
    const names = Object.keys(this.#graph.seen);
    this.#loss.learn?.(
      Object.fromEntries(names.map((name) => [name, floatData(outputs[`seen.${name}`])[0]!] as const)),
    );
  }

  buffers(): Record<string, Float32Array> {
    return {
      ...(this.#loss.old ? { old: this.#still!.old.data } : {}),
      ...(this.#loss.variables ? { variables: this.#loss.variables } : {}),
    };
  }
}

/** Columns that come with the examples, over all tokens of the batch. */
function columnsOf(
  groups: readonly Group[],
  names: readonly string[],
  tokens: number,
): Record<string, Float32Array> {
  const targets = groups.flatMap((group) => group.targets);
  const columns: Record<string, Float32Array> = {};
  for (const name of names) {
    const column = new Float32Array(tokens);
    let at = 0;
    for (const target of targets) {
      const part = target.columns?.[name];
      if (!part) throw new Error(`the loss reads column ${name}, which an example lacks`);
      column.set(part, at);
      at += part.length;
    }
    columns[name] = column;
  }
  return columns;
}
