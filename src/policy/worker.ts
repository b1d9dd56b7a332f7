/** The part of a native policy that lives in the worker thread: weights, programs, training. */

import type { MarianConfig } from "../model/config.js";
import { loadModelFolder, type StoredModel, saveModelFolder } from "../model/folder.js";
import { initialise } from "../model/initialise.js";
import type { Lora } from "../model/lora.js";
import type { Parameters } from "../tensor/parameters.js";
import { floatData, Program } from "../tensor/program.js";
import type { CallContext, RemoteObject } from "../tensor/thread-worker.js";
import { type Batch, Trainer } from "../tensor/trainer.js";
import { Adapter, type TrainedLora } from "./adapter.js";
import { type Group, packBatches, withTwin } from "./batches.js";
import { type BeamOptions, beamSearch } from "./beam.js";
import { Decoder, DecoderPrograms } from "./decoder.js";
import { divergenceGraph, divergenceTokens } from "./divergence.js";
import { type Loss, type LossRequest, makeLoss } from "./loss.js";
import { LossTask, reads, type StillPolicies, seenOutputs } from "./loss-task.js";
import { BatchFeeder, tokenGraph } from "./network.js";
import { type PackedGroups, unpackGroups } from "./packed.js";
import { decoderLayout, type EncodedSource, type SamplerOptions, sampleAll } from "./sampler.js";
import { Training, type TrainingOptions } from "./training.js";
import { TrainingSession } from "./training-session.js";

/** Candidates decoded at once. CPU time a token, preset `small`: 124 µs at 64 and 128, 122 at 256, 133 at 512. */
const DECODED_ROWS = 256;
/** Target positions of one pass when log-probabilities are asked for. */
const SCORED_TOKENS = 4096;

export type OpenArgs = { folder: string } | { config: MarianConfig; seed: number };

/** The programs that score are fed their weights, so policies of one configuration share them. */
const scorers = new Map<string, Promise<Program>>();
const comparers = new Map<string, Promise<Program>>();

/** Policies that are open in this thread, by the number that another one is told of them. */
const opened = new Map<number, WorkerPolicy>();
let nextHandle = 0;

function scorerOf(config: MarianConfig, distributions = false, lora?: Lora): Promise<Program> {
  const key = JSON.stringify({ config, distributions, lora });
  const compile = () => {
    const graph = tokenGraph(config, { smoothing: 0, dropout: false, ...(lora ? { lora } : {}) });
    const { logProbs } = graph;
    return Program.compile(
      graph.graph,
      distributions ? { logProbs, distributions: graph.distributions } : { logProbs },
    );
  };
  const known = scorers.get(key) ?? compile();
  scorers.set(key, known);
  return known;
}

/** The program of a policy's divergence from given distributions. */
function comparerOf(config: MarianConfig): Promise<Program> {
  const key = JSON.stringify(config);
  const compile = () => {
    const { graph, divergences } = divergenceGraph(config);
    return Program.compile(graph, { divergences });
  };
  const known = comparers.get(key) ?? compile();
  comparers.set(key, known);
  return known;
}

export default async function open(args: OpenArgs): Promise<RemoteObject> {
  const policy =
    "folder" in args
      ? new WorkerPolicy(await loadModelFolder(args.folder), args.folder)
      : new WorkerPolicy({ config: args.config, parameters: initialise(args.config, args.seed) });
  const handle = nextHandle++;
  opened.set(handle, policy);
  return {
    methods: {
      config: () => policy.config,
      handle: () => handle,
      save: (folder: string) => policy.save(folder),
      sample: (request: SampleRequest, context) => policy.sample(request, context),
      beam: (request: BeamRequest, context) => policy.beam(request, context),
      logProbabilities: (groups: PackedGroups, context) =>
        policy.logProbabilities(unpackGroups(groups), context),
      divergences: (request: DivergenceRequest, context) => policy.divergences(request, context),
      beginTraining: (request: TrainRequest) => policy.beginTraining(request),
      replaceExamples: (groups: PackedGroups) => policy.session.training.replace(unpackGroups(groups)),
      ...policy.session.methods,
    },
    release: async () => {
      opened.delete(handle);
      await policy.release();
    },
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

export interface DivergenceRequest {
  readonly groups: PackedGroups;
  /** Handle of the policy to compare with. */
  readonly reference: number;
}

export interface TrainRequest {
  readonly groups: PackedGroups;
  readonly options: TrainingOptions;
  /** Absent: the weighted log-likelihood. */
  readonly loss?: LossRequest;
  /** Folder of the policy that sampled, for losses that read its distributions. */
  readonly behavior?: string;
  /** Train an adapter, and leave the policy's other weights as they are; absent: train all of them. */
  readonly lora?: TrainedLora;
}

class WorkerPolicy {
  readonly config: MarianConfig;
  readonly parameters: Parameters;
  readonly #feeder: BatchFeeder;
  /** What was loaded, and from where, while nothing else has been trained from it. */
  #stored: { model: StoredModel; folder: string } | undefined;
  /** What was trained last, where that was an adapter. */
  #adapter: Adapter | undefined;
  /** Programs that hold a copy of the present weights, once something has been decoded with them. */
  #decoding: DecoderPrograms | undefined;
  readonly session = new TrainingSession((weights) => this.#take(weights));

  /** `folder` is where the model was read from; absent for a new one. */
  constructor(model: StoredModel, folder?: string) {
    this.config = model.config;
    this.parameters = model.parameters;
    this.#feeder = new BatchFeeder(model.config);
    this.#stored = folder === undefined ? undefined : { model, folder };
  }

  /** Writes an adapter where one was trained last, else all weights: then true. */
  async save(folder: string): Promise<boolean> {
    if (this.#adapter) await this.#adapter.save(folder);
    else await saveModelFolder(folder, this.config, this.parameters);
    return this.#adapter === undefined;
  }

  async sample(request: SampleRequest, context: CallContext): Promise<void> {
    const { sources, options, temperature } = request;
    const layout = decoderLayout(sources.length, options.n, DECODED_ROWS);
    const decoder = this.#decoder({ ...layout, temperature: options.greedy ? 1 : temperature });
    for await (const done of sampleAll(decoder, sources, options, context.cancelled)) context.progress(done);
  }

  async beam(request: BeamRequest, context: CallContext): Promise<void> {
    const lanes = Math.max(2, request.options.beams);
    const groups = Math.max(1, Math.min(request.sources.length, Math.floor(DECODED_ROWS / lanes)));
    const decoder = this.#decoder({ groups, lanes, temperature: 1 });
    for await (const done of beamSearch(decoder, request.sources, request.options, context.cancelled))
      context.progress(done);
  }

  /** Per-token log-probabilities in the order of groups and targets, reported batch by batch as {index, logProbs}. */
  async logProbabilities(groups: readonly Group[], context: CallContext): Promise<void> {
    const scorer = await scorerOf(this.config);
    const feeds = this.parameters.feeds();
    await this.#byBatch(groups, SCORED_TOKENS, context, async (inputs) => {
      const outputs = await scorer.run({ ...feeds, ...inputs.feeds }, inputs.symbols);
      return { logProbs: floatData(outputs.logProbs) };
    });
  }

  /** The divergence from another policy at each token, reported batch by batch as {index} with TokenDivergences. */
  async divergences({ groups, reference }: DivergenceRequest, context: CallContext): Promise<void> {
    const other = opened.get(reference);
    if (!other) throw new Error(`no policy ${reference} is open in this thread`);
    if (JSON.stringify(other.config) !== JSON.stringify(this.config))
      throw new Error("a divergence needs two policies of one configuration");
    const scorer = await scorerOf(this.config, true);
    const comparer = await comparerOf(this.config);
    const most = divergenceTokens(this.config);
    await this.#byBatch(unpackGroups(groups), most, context, async ({ feeds, symbols }) => {
      const known = await scorer.run({ ...other.parameters.feeds(), ...feeds }, symbols);
      const given = { ...feeds, reference: known.distributions! };
      const outputs = await comparer.run({ ...this.parameters.feeds(), ...given }, symbols);
      return {
        divergences: floatData(outputs.divergences),
        referenceLogProbs: floatData(known.logProbs),
      };
    });
  }

  /** Runs `work` on batches of groups, and reports of each group {index} with its part of every array. */
  async #byBatch(
    groups: readonly Group[],
    tokens: number,
    context: CallContext,
    work: (inputs: Batch) => Promise<Readonly<Record<string, Float32Array>>>,
  ): Promise<void> {
    const index = new Map(groups.map((group, i) => [group.targets, i]));
    for (const batch of packBatches(groups, tokens, 0, 0)) {
      if (context.cancelled()) return;
      const arrays = Object.entries(await work(this.#feeder.batch(withTwin(batch), 1)));
      let at = 0;
      const done = batch.map((group) => {
        const start = at;
        at += group.targets.reduce((sum, target) => sum + target.tokens.length, 0);
        const parts = arrays.map(([name, numbers]) => [name, numbers.slice(start, at)] as const);
        return { index: index.get(group.targets)!, ...Object.fromEntries(parts) };
      });
      context.progress(done);
    }
  }

  async beginTraining({ groups, options, loss: request, behavior, lora }: TrainRequest): Promise<void> {
    await this.session.end();
    const loss = await makeLoss(request);
    const adapter = lora ? await this.#adapterFor(lora, options.seed) : undefined;
    this.#adapter = adapter;
    if (!adapter) this.#stored = undefined;
    const recorded = tokenGraph(this.config, {
      smoothing: options.labelSmoothing,
      dropout: options.dropout > 0,
      loss,
      ...(lora ? { lora } : {}),
    });
    const { weights } = adapter ?? { weights: this.parameters };
    // A copy: evaluation reads the moving average of weights where training goes on with the weights themselves.
    const trained = weights.like(weights.data.slice());
    const trainer = await Trainer.compile(
      recorded.graph,
      recorded.loss,
      trained,
      { logProbs: recorded.logProbs, ...seenOutputs(recorded) },
      adapter ? { frozen: adapter.base } : {},
    );
    const still = await this.#still(loss, reads(recorded, "behavior") ? behavior : undefined);
    const task = new LossTask(this.#feeder, recorded, loss, still);
    this.session.begin(
      trainer,
      new Training(trainer, unpackGroups(groups), options, task, recorded.sites, this.#feeder),
    );
  }

  /** What a loss needs of policies that are held still; undefined where it needs none. */
  async #still(loss: Loss, behaviorFolder: string | undefined): Promise<StillPolicies | undefined> {
    if (!loss.old && behaviorFolder === undefined) return undefined;
    const adapter = this.#adapter;
    const scorers = {
      tokens: await scorerOf(this.config, false, adapter?.lora),
      distributions: await scorerOf(this.config, true, adapter?.lora),
    };
    const old = adapter?.still() ?? this.parameters.like();
    if (behaviorFolder === undefined) return { scorers, old };
    const { parameters } = await loadModelFolder(behaviorFolder);
    // The scorers have a place for an adapter; one of zeros adds nothing.
    const none = adapter?.weights.like().feeds();
    return { scorers, old, behavior: { feeds: () => ({ ...parameters.feeds(), ...none }) } };
  }

  /** The adapter to train on: the policy's own, or a fresh one on the policy as it was loaded. */
  async #adapterFor(lora: TrainedLora, seed: number): Promise<Adapter> {
    if (!this.#stored) throw new Error("an adapter is trained on a policy that lies in a folder as it is");
    const { model, folder } = this.#stored;
    if (model.adapter) return Adapter.continued(this.config, lora, model.adapter);
    return Adapter.fresh(this.config, lora, this.parameters.like(this.parameters.data.slice()), folder, seed);
  }

  async release(): Promise<void> {
    await this.session.end();
    await this.#releaseDecoder();
  }

  /** Takes over other weights: programs that hold the old ones go. */
  async #take(weights: Float32Array): Promise<void> {
    if (this.#adapter) this.#adapter.take(weights, this.parameters);
    else this.parameters.data.set(weights);
    await this.#releaseDecoder();
  }

  async #releaseDecoder(): Promise<void> {
    const decoding = this.#decoding;
    this.#decoding = undefined;
    await decoding?.release();
  }

  #decoder(options: { groups: number; temperature: number; lanes?: number }): Decoder {
    this.#decoding ??= new DecoderPrograms(this.config, this.parameters);
    return new Decoder(this.config, this.#decoding, this.#feeder, options);
  }
}
