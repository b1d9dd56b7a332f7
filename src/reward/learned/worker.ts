/** The part of the learned reward that lives in the worker thread: weights, programs, training. */

import type { MarianConfig } from "../../model/config.js";
import { type Group, packBatches, type Target } from "../../policy/batches.js";
import { type Head, loadBody, loadWithHead, saveWithHead } from "../../policy/head.js";
import { BatchFeeder } from "../../policy/network.js";
import { type PackedGroups, unpackGroups } from "../../policy/packed.js";
import { Training, type TrainingOptions } from "../../policy/training.js";
import { TrainingSession } from "../../policy/training-session.js";
import type { Parameters } from "../../tensor/parameters.js";
import { floatData, Program } from "../../tensor/program.js";
import type { CallContext, RemoteObject } from "../../tensor/thread-worker.js";
import { Trainer } from "../../tensor/trainer.js";
import { FRESH_HEAD, headSpecs, rewardGraph, rewardTask, scoresOf, scoringBatch } from "./graph.js";

/** Target positions of one scoring pass. */
const SCORED_TOKENS = 4096;

const HEAD: Head = { file: "reward_head.safetensors", of: "the reward", specs: headSpecs };

/** A trained reward, or a policy whose weights a new reward starts from. */
export type OpenArgs = { folder: string } | { policyFolder: string };

export interface TrainRequest {
  readonly groups: PackedGroups;
  readonly options: TrainingOptions;
}

export default async function open(args: OpenArgs): Promise<RemoteObject> {
  const trained = "folder" in args;
  const { config, parameters } = trained
    ? await loadWithHead(args.folder, HEAD)
    : await loadBody(args.policyFolder, HEAD);
  if (!trained) for (const [name, value] of Object.entries(FRESH_HEAD)) parameters.view(name).fill(value);
  const reward = new WorkerReward(config, parameters);
  return {
    methods: {
      config: () => config,
      score: (groups: PackedGroups, context) => reward.score(unpackGroups(groups), context),
      beginTraining: (request: TrainRequest) => reward.beginTraining(request),
      ...reward.session.methods,
      save: (folder: string) => reward.save(folder),
    },
    release: () => reward.release(),
  };
}

/** A matrix of one row is multiplied by another kernel, with other last bits: a lone candidate gets a twin. */
function withTwin(batch: readonly Group[]): readonly Group[] {
  const [first, ...others] = batch;
  return first?.targets.length === 1 && others.length === 0 ? [first, first] : batch;
}

class WorkerReward {
  readonly config: MarianConfig;
  readonly #parameters: Parameters;
  readonly #feeder: BatchFeeder;
  #scorer: Program | undefined;
  readonly session = new TrainingSession((weights) => this.#parameters.data.set(weights));

  constructor(config: MarianConfig, parameters: Parameters) {
    this.config = config;
    this.#parameters = parameters;
    this.#feeder = new BatchFeeder(config);
  }

  /** Raw scores in the order of groups and targets. */
  async score(groups: readonly Group[], context: CallContext): Promise<Float32Array> {
    this.#scorer ??= await this.#compileScorer();
    const place = new Map<Target, number>();
    for (const group of groups) for (const target of group.targets) place.set(target, place.size);
    const found = new Float32Array(place.size);
    const weights = this.#parameters.feeds();
    let done = 0;
    for (const batch of packBatches(groups, SCORED_TOKENS, 0, 0)) {
      if (context.cancelled()) break;
      const { feeds, symbols } = scoringBatch(this.#feeder, withTwin(batch));
      const outputs = await this.#scorer.run({ ...weights, ...feeds }, symbols);
      const targets = batch.flatMap((group) => group.targets);
      const scores = scoresOf(withTwin(batch), floatData(outputs.scores));
      targets.forEach((target, i) => {
        found[place.get(target)!] = scores[i]!;
      });
      done += targets.length;
      context.progress(done);
    }
    return found;
  }

  async beginTraining({ groups, options }: TrainRequest): Promise<void> {
    await this.session.end();
    const { graph, loss, scores, sites } = rewardGraph(this.config, { dropout: options.dropout > 0 });
    const trained = this.#parameters.like(this.#parameters.data.slice());
    const trainer = await Trainer.compile(graph, loss, trained, { scores });
    const task = rewardTask(this.#feeder);
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
    const { graph, scores } = rewardGraph(this.config, { dropout: false });
    return Program.compile(graph, { scores });
  }
}
