/** The part of a value function that lives in the worker thread. */

import type { MarianConfig } from "../model/config.js";
import type { Parameters } from "../tensor/parameters.js";
import { floatData, Program } from "../tensor/program.js";
import type { CallContext, RemoteObject } from "../tensor/thread-worker.js";
import { Trainer } from "../tensor/trainer.js";
import { type Group, packBatches } from "./batches.js";
import { type Head, loadBody, loadWithHead, saveWithHead } from "./head.js";
import { BatchFeeder } from "./network.js";
import { type PackedGroups, unpackGroups } from "./packed.js";
import { Training, type TrainingOptions } from "./training.js";
import { TrainingSession } from "./training-session.js";
import { VALUE_BIAS, valueGraph, valueHeadSpecs, valueTask } from "./value-graph.js";

/** Target positions of one pass when values are asked for. */
const SCORED_TOKENS = 4096;

const HEAD: Head = { file: "value_head.safetensors", of: "the value function", specs: valueHeadSpecs };

/** A trained value function, or a policy whose body a new one starts from, with the value that it first gives everything. */
export type OpenArgs = { folder: string } | { policyFolder: string; start: number };

export interface TrainRequest {
  readonly groups: PackedGroups;
  readonly options: TrainingOptions;
}

export default async function open(args: OpenArgs): Promise<RemoteObject> {
  const trained = "folder" in args;
  const { config, parameters } = trained
    ? await loadWithHead(args.folder, HEAD)
    : await loadBody(args.policyFolder, HEAD);
  if (!trained) parameters.view(VALUE_BIAS).fill(args.start);
  const value = new WorkerValue(config, parameters);
  return {
    methods: {
      values: (groups: PackedGroups, context) => value.values(unpackGroups(groups), context),
      beginTraining: (request: TrainRequest) => value.beginTraining(request),
      replaceExamples: (groups: PackedGroups) => value.session.training.replace(unpackGroups(groups)),
      ...value.session.methods,
      save: (folder: string) => value.save(folder),
    },
    release: () => value.release(),
  };
}

class WorkerValue {
  readonly config: MarianConfig;
  readonly session = new TrainingSession((weights) => this.#parameters.data.set(weights));
  readonly #parameters: Parameters;
  readonly #feeder: BatchFeeder;
  #scorer: Program | undefined;

  constructor(config: MarianConfig, parameters: Parameters) {
    this.config = config;
    this.#parameters = parameters;
    this.#feeder = new BatchFeeder(config);
  }

  /** V(sₜ) of every target token, for each group of one target, reported batch by batch as {index, numbers}. */
  async values(groups: readonly Group[], context: CallContext): Promise<void> {
    this.#scorer ??= await this.#compileScorer();
    const index = new Map(groups.map((group, i) => [group.targets[0], i]));
    const weights = this.#parameters.feeds();
    for (const batch of packBatches(groups, SCORED_TOKENS, 0, 0)) {
      if (context.cancelled()) return;
      const { feeds, symbols } = this.#feeder.batch(batch, 1);
      const outputs = await this.#scorer.run({ ...weights, ...feeds }, symbols);
      const values = floatData(outputs.values);
      let at = 0;
      context.progress(
        batch.map(({ targets }) => {
          const length = targets[0]!.tokens.length;
          at += length;
          return { index: index.get(targets[0])!, numbers: values.slice(at - length, at) };
        }),
      );
    }
  }

  async beginTraining({ groups, options }: TrainRequest): Promise<void> {
    await this.session.end();
    const { graph, loss, values, sites } = valueGraph(this.config, { dropout: options.dropout > 0 });
    const trained = this.#parameters.like(this.#parameters.data.slice());
    const trainer = await Trainer.compile(graph, loss, trained, { values });
    const task = valueTask(this.#feeder);
    this.session.begin(
      trainer,
      new Training(trainer, unpackGroups(groups), options, task, sites, this.#feeder),
    );
  }

  save(folder: string): Promise<void> {
    return saveWithHead(folder, HEAD, this.config, this.#parameters);
  }

  async release(): Promise<void> {
    await this.session.end();
    await this.#scorer?.release();
    this.#scorer = undefined;
  }

  #compileScorer(): Promise<Program> {
    const { graph, values } = valueGraph(this.config, { dropout: false });
    return Program.compile(graph, { values });
  }
}
