/** The part of a native policy that lives in the worker thread: weights, programs, training. */

import type { MarianConfig } from "../model/config.js";
import { loadModelFolder, saveModelFolder } from "../model/folder.js";
import { initialise } from "../model/initialise.js";
import type { Parameters } from "../tensor/parameters.js";
import { floatData, Program } from "../tensor/program.js";
import type { CallContext, RemoteObject } from "../tensor/thread-worker.js";
import { Trainer } from "../tensor/trainer.js";
import { type Group, packBatches } from "./batches.js";
import { type BeamOptions, beamSearch } from "./beam.js";
import { compileDecoder, Decoder, type DecoderPrograms } from "./decoder.js";
import { BatchFeeder, tokenGraph } from "./network.js";
import { type PackedGroups, unpackGroups } from "./packed.js";
import { decoderLayout, type EncodedSource, type SamplerOptions, sampleAll } from "./sampler.js";
import { likelihoodTask, Training, type TrainingOptions } from "./training.js";

/** Candidates decoded at once. Measured on two cores with preset `small`: more gain nothing, fewer lose. */
const DECODED_ROWS = 256;
/** Target positions of one pass when log-probabilities are asked for. */
const SCORED_TOKENS = 4096;

export type OpenArgs = { folder: string } | { config: MarianConfig; seed: number };

/** The programs that score are fed their weights, so policies of one configuration share one. */
const scorers = new Map<string, Promise<Program>>();

function scorerOf(config: MarianConfig): Promise<Program> {
  const key = JSON.stringify(config);
  const compile = () => {
    const { graph, logProbs } = tokenGraph(config, { smoothing: 0, dropout: false });
    return Program.compile(graph, { logProbs });
  };
  const known = scorers.get(key) ?? compile();
  scorers.set(key, known);
  return known;
}

export default async function open(args: OpenArgs): Promise<RemoteObject> {
  const policy =
    "folder" in args
      ? new WorkerPolicy(await loadModelFolder(args.folder))
      : new WorkerPolicy({ config: args.config, parameters: initialise(args.config, args.seed) });
  return {
    methods: {
      config: () => policy.config,
      save: (folder: string) => saveModelFolder(folder, policy.config, policy.parameters),
      sample: (request: SampleRequest, context) => policy.sample(request, context),
      beam: (request: BeamRequest, context) => policy.beam(request, context),
      logProbabilities: (groups: PackedGroups, context) =>
        policy.logProbabilities(unpackGroups(groups), context),
      beginTraining: (request: TrainRequest) => policy.beginTraining(request),
      trainSteps: (count: number, context) => policy.trainSteps(count, context),
      keepBest: () => policy.training.keepBest(),
      saveTraining: ({ path, extra }: { path: string; extra: unknown }) => policy.training.save(path, extra),
      loadTraining: (path: string) => policy.loadTraining(path),
      endTraining: () => policy.endTraining(),
    },
    release: () => policy.release(),
  };
}

export interface SampleRequest {
  readonly sources: readonly EncodedSource[];
  readonly temperature: number;
  readonly options: SamplerOptions;
}

export interface BeamRequest {
  readonly sources: readonly EncodedSource[];
  readonly options: BeamOptions;
}

export interface TrainRequest {
  readonly groups: PackedGroups;
  readonly options: TrainingOptions;
}

class WorkerPolicy {
  readonly config: MarianConfig;
  readonly parameters: Parameters;
  readonly #feeder: BatchFeeder;
  /** Programs that hold a copy of the present weights, once something has been decoded with them. */
  #decoding: Promise<DecoderPrograms> | undefined;
  #training: Training | undefined;
  #trainer: Trainer | undefined;

  constructor({ config, parameters }: { config: MarianConfig; parameters: Parameters }) {
    this.config = config;
    this.parameters = parameters;
    this.#feeder = new BatchFeeder(config);
  }

  get training(): Training {
    if (!this.#training) throw new Error("no training has begun");
    return this.#training;
  }

  async sample(request: SampleRequest, context: CallContext): Promise<void> {
    const { sources, options, temperature } = request;
    const layout = decoderLayout(sources.length, options.n, DECODED_ROWS);
    const decoder = await this.#decoder({ ...layout, temperature: options.greedy ? 1 : temperature });
    for await (const done of sampleAll(decoder, sources, options, context.cancelled)) context.progress(done);
  }

  async beam(request: BeamRequest, context: CallContext): Promise<void> {
    const lanes = Math.max(2, request.options.beams);
    const groups = Math.max(1, Math.min(request.sources.length, Math.floor(DECODED_ROWS / lanes)));
    const decoder = await this.#decoder({ groups, sourcesPerGroup: 1, lanes, temperature: 1 });
    for await (const done of beamSearch(decoder, request.sources, request.options, context.cancelled))
      context.progress(done);
  }

  /** Per-token log-probabilities in the order of groups and targets, reported batch by batch as {index, logProbs}. */
  async logProbabilities(groups: readonly Group[], context: CallContext): Promise<void> {
    const scorer = await scorerOf(this.config);
    const feeds = this.parameters.feeds();
    const index = new Map(groups.map((group, i) => [group.targets, i]));
    for (const batch of packBatches(groups, SCORED_TOKENS, 0, 0)) {
      if (context.cancelled()) return;
      const inputs = this.#feeder.batch(batch, 1);
      const outputs = await scorer.run({ ...feeds, ...inputs.feeds }, inputs.symbols);
      const logProbs = floatData(outputs.logProbs);
      let at = 0;
      const done = batch.map((group) => {
        const length = group.targets.reduce((sum, target) => sum + target.tokens.length, 0);
        const part = logProbs.slice(at, at + length);
        at += length;
        return { index: index.get(group.targets)!, logProbs: part };
      });
      context.progress(done);
    }
  }

  async beginTraining({ groups, options }: TrainRequest): Promise<void> {
    await this.endTraining();
    const dropout = options.dropout > 0;
    const { graph, loss, logProbs, sites } = tokenGraph(this.config, {
      smoothing: options.labelSmoothing,
      dropout,
    });
    // A copy: evaluation reads the moving average of weights where training goes on with the weights themselves.
    const trained = this.parameters.like(this.parameters.data.slice());
    this.#trainer = await Trainer.compile(graph, loss, trained, { logProbs });
    this.#training = new Training(
      this.#trainer,
      unpackGroups(groups),
      options,
      likelihoodTask(this.#feeder),
      sites,
      this.#feeder,
    );
  }

  async trainSteps(
    count: number,
    context: CallContext,
  ): Promise<{ step: number; loss: number; tokens: number; stopped: boolean }> {
    const { loss } = await this.training.run(count, context.progress, context.cancelled);
    await this.#take(this.training.weights);
    return { step: this.training.step, loss, tokens: this.training.tokens, stopped: context.cancelled() };
  }

  async loadTraining(path: string): Promise<unknown> {
    const extra = await this.training.load(path);
    await this.#take(this.training.weights);
    return extra;
  }

  /** Takes over the best weights, or the last where none were marked. */
  async endTraining(): Promise<void> {
    if (this.#training) await this.#take(this.#training.best ?? this.#training.weights);
    await this.#trainer?.release();
    this.#training = undefined;
    this.#trainer = undefined;
  }

  async release(): Promise<void> {
    await this.endTraining();
    await this.#releaseDecoder();
  }

  /** Takes over other weights: programs that hold the old ones go. */
  async #take(weights: Float32Array): Promise<void> {
    this.parameters.data.set(weights);
    await this.#releaseDecoder();
  }

  async #releaseDecoder(): Promise<void> {
    const decoding = this.#decoding;
    this.#decoding = undefined;
    if (!decoding) return;
    const { encode, step } = await decoding;
    await encode.release();
    await step.release();
  }

  async #decoder(options: {
    groups: number;
    sourcesPerGroup: number;
    temperature: number;
    lanes?: number;
  }): Promise<Decoder> {
    this.#decoding ??= compileDecoder(this.config, this.parameters);
    return new Decoder(this.config, await this.#decoding, this.#feeder, options);
  }
}
