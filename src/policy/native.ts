/** The policy that runs here: a Marian model and its tokenizers, its arithmetic in the worker thread. */

import { extname } from "node:path";
import { UserError } from "../errors.js";
import type { MarianConfig } from "../model/config.js";
import { wholeFolder } from "../model/folder.js";
import { writeFolderAtomic } from "../store/atomic.js";
import type { Remote, Thread } from "../tensor/thread.js";
import { loadTextCodec, saveTextCodec, type TextCodec } from "../text/text-codec.js";
import type { Target } from "./batches.js";
import type { BeamResult } from "./beam.js";
import type { TokenDivergences } from "./divergence.js";
import { Encoder } from "./encoder.js";
import type { LossRequest } from "./loss.js";
import { endless, type OnlineOptions, OnlineTraining } from "./online-training.js";
import { packGroups } from "./packed.js";
import type {
  Example,
  PairToScore,
  Policy,
  SampledCandidate,
  SampleOptions,
  ScoredPair,
  Source,
  TrainOptions,
  TrainResult,
  TranslateOptions,
  Translation,
} from "./policy.js";
import { remoteStream } from "./remote-stream.js";
import type { EncodedSource, SampledSource } from "./sampler.js";
import { trainLoop } from "./train-loop.js";
import type { TrainingOptions } from "./training.js";
import type { BeamRequest, DivergenceRequest, OpenArgs, SampleRequest, TrainRequest } from "./worker.js";

const WORKER = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

export class NativePolicy implements Policy {
  readonly codec: TextCodec;
  readonly config: MarianConfig;
  readonly encoder: Encoder;
  readonly #remote: Remote;

  private constructor(remote: Remote, config: MarianConfig, codec: TextCodec) {
    this.#remote = remote;
    this.config = config;
    this.codec = codec;
    this.encoder = new Encoder(codec, config);
  }

  /** A policy with random weights, a function of the seed. */
  static async create(
    thread: Thread,
    config: MarianConfig,
    codec: TextCodec,
    seed: number,
  ): Promise<NativePolicy> {
    const remote = await thread.open(WORKER, { config, seed } satisfies OpenArgs);
    return new NativePolicy(remote, config, codec);
  }

  /** Loads a Hugging Face folder. @throws UserError when a file is missing or does not fit. */
  static async load(thread: Thread, folder: string): Promise<NativePolicy> {
    const codec = await loadTextCodec(await wholeFolder(folder));
    const remote = await thread.open(WORKER, { folder } satisfies OpenArgs);
    const config = (await remote.call("config", undefined)) as MarianConfig;
    mustFit(codec, config, folder);
    return new NativePolicy(remote, config, codec);
  }

  /**
   * Writes a Hugging Face folder; it appears whole or not at all. After training with `lora` it is an adapter's folder, which
   * names that of the policy it began with, and holds no tokenizers.
   */
  async save(folder: string): Promise<void> {
    await writeFolderAtomic(folder, async (aside) => {
      const whole = await this.#remote.call("save", aside);
      if (whole) await saveTextCodec(this.codec, aside);
    });
  }

  async *sample(sources: readonly Source[], options: SampleOptions): AsyncGenerator<SampledCandidate[]> {
    const total = sources.length * options.n;
    let done = 0;
    const { encoded, forget } = this.#encode(sources);
    const request: SampleRequest = {
      sources: encoded,
      temperature: options.temperature,
      options: {
        n: options.n,
        greedy: options.temperature === 0,
        topK: options.topK ?? 0,
        topP: options.topP ?? 1,
        maxTokens: Math.min(options.maxTokens, this.config.maxPositions - 1),
        seed: options.seed,
        grow: options.grow,
        eosId: this.config.eosId,
        vocabulary: this.config.targetVocabulary,
      },
    };
    try {
      for await (const data of remoteStream(this.#remote, "sample", request, options.signal)) {
        const candidates = (data as SampledSource[]).flatMap(({ sourceId, samples }) =>
          samples.map((sample) => ({
            ...sample,
            sourceId,
            text: this.codec.target.decode(sample.tokens),
          })),
        );
        done += candidates.length;
        options.onProgress?.(done, total);
        yield candidates;
      }
    } finally {
      forget();
    }
  }

  /**
   * The best translation of each source, in the order given: greedy for one beam, else beam search. A source whose signal
   * is aborted may have none.
   */
  async translate(sources: readonly Source[], options: TranslateOptions): Promise<Translation[]> {
    const found = new Map<number, Translation>();
    const { generation } = this.config;
    const beams = options.beams ?? 1;
    const { onProgress, signal } = options;
    const rest = { ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) };
    if (beams === 1) {
      const greedy = {
        n: 1,
        temperature: 0,
        maxTokens: this.#most(options.maxTokens),
        seed: 0,
        grow: 0,
        ...rest,
      };
      for await (const batch of this.sample(sources, greedy))
        for (const { sourceId, text, tokens, logProbs, finished } of batch)
          found.set(sourceId, this.#ended({ sourceId, text, tokens, logProbs, finished }));
    } else {
      const { encoded, forget } = this.#encode(sources);
      const request: BeamRequest = {
        sources: encoded,
        options: {
          beams,
          lengthPenalty: generation.lengthPenalty,
          maxTokens: this.#most(options.maxTokens),
          eosId: this.config.eosId,
          vocabulary: this.config.targetVocabulary,
          forceEnd: generation.forceEnd,
          without: generation.renormalise ? generation.forbidden : [],
        },
      };
      try {
        for await (const data of remoteStream(this.#remote, "beam", request, signal))
          for (const { sourceId, tokens, logProbs, finished } of data as BeamResult[]) {
            found.set(sourceId, {
              sourceId,
              text: this.codec.target.decode(tokens),
              tokens,
              logProbs,
              finished,
            });
            onProgress?.(found.size, sources.length);
          }
      } finally {
        forget();
      }
    }
    return sources.flatMap(({ sourceId }) => found.get(sourceId) ?? []);
  }

  async logProbabilities(pairs: readonly PairToScore[], signal?: AbortSignal): Promise<ScoredPair[]> {
    const groups = pairs.map((pair) => {
      const tokens = pair.tokens ?? this.encoder.target(pair.target ?? "");
      return { source: this.encoder.source(pair.source), targets: [{ tokens, weight: 1 }] };
    });
    const scored: ScoredPair[] = [];
    for await (const data of remoteStream(this.#remote, "logProbabilities", packGroups(groups), signal))
      for (const { index, logProbs } of data as { index: number; logProbs: Float32Array }[])
        scored[index] = {
          tokens: Array.from(groups[index]!.targets[0]!.tokens),
          logProbs: Array.from(logProbs),
        };
    return scored;
  }

  /**
   * How far this policy's next-token distribution is from `reference`'s at every token of the candidates: exact, over the
   * whole vocabulary, at temperature 1. `reference` must be of the same thread and configuration.
   */
  async divergences(
    reference: NativePolicy,
    candidates: readonly { source: string; tokens: readonly number[] }[],
    signal?: AbortSignal,
  ): Promise<TokenDivergences[]> {
    const groups = candidates.map(({ source, tokens }) => ({
      source: this.encoder.source(source),
      targets: [{ tokens, weight: 1 }],
    }));
    const request: DivergenceRequest = {
      groups: packGroups(groups),
      reference: Number(await reference.#remote.call("handle", undefined)),
    };
    const found: TokenDivergences[] = [];
    for await (const data of remoteStream(this.#remote, "divergences", request, signal))
      for (const { index, ...numbers } of data as ({ index: number } & TokenDivergences)[])
        found[index] = numbers;
    return found;
  }

  /** Mean negative log-likelihood a token of reference translations, in nats. */
  async negativeLogLikelihood(pairs: readonly { source: string; target: string }[]): Promise<number> {
    const scored = await this.logProbabilities(pairs);
    let sum = 0;
    let tokens = 0;
    for (const { logProbs } of scored) {
      for (const logProb of logProbs) sum -= logProb;
      tokens += logProbs.length;
    }
    return sum / tokens;
  }

  async train(examples: readonly Example[], options: TrainOptions): Promise<TrainResult> {
    const request: TrainRequest = {
      groups: packGroups(this.#groups(examples)),
      options: arithmetic(options),
      ...(options.loss ? { loss: options.loss } : {}),
      ...(options.behavior === undefined ? {} : { behavior: options.behavior }),
      ...(options.lora ? { lora: options.lora } : {}),
    };
    await this.#remote.call("beginTraining", request);
    return trainLoop(this.#remote, options);
  }

  /** Begins a training whose examples come batch by batch. */
  async trainOnline(options: OnlineOptions & { loss: LossRequest }): Promise<OnlineTraining<Example>> {
    const { loss, ...arithmetic } = options;
    const request: TrainRequest = { groups: packGroups([]), options: endless(arithmetic), loss };
    await this.#remote.call("beginTraining", request);
    return new OnlineTraining(this.#remote, (examples) => packGroups(this.#groups(examples)));
  }

  async release(): Promise<void> {
    await this.#remote.release();
  }

  /** Tokens of a translation at most, as the model is meant to be searched; the start token takes a place. */
  #most(asked: number): number {
    return Math.min(asked, this.config.generation.maxLength - 1);
  }

  /** A greedy translation that came to no end, ended at its last place where the model is searched so. */
  #ended(translation: Translation): Translation {
    if (translation.finished || !this.config.generation.forceEnd) return translation;
    const tokens = [...translation.tokens.slice(0, -1), this.config.eosId];
    const logProbs = [...translation.logProbs.slice(0, -1), 0];
    return { ...translation, tokens, logProbs, text: this.codec.target.decode(tokens) };
  }

  /** Sources as the worker takes them; `forget` when it has them no longer. */
  #encode(sources: readonly Source[]): { encoded: EncodedSource[]; forget: () => void } {
    const cancels = new Map<AbortSignal, { cancel: Int32Array; stop: () => void }>();
    const cancelOf = (signal: AbortSignal): Int32Array => {
      const known = cancels.get(signal);
      if (known) return known.cancel;
      const cancel = new Int32Array(new SharedArrayBuffer(4));
      const stop = () => void Atomics.store(cancel, 0, 1);
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop);
      cancels.set(signal, { cancel, stop });
      return cancel;
    };
    return {
      encoded: sources.map(({ sourceId, text, draws, signal }) => ({
        sourceId,
        tokens: this.encoder.source(text),
        ...(draws ? { draws } : {}),
        ...(signal ? { cancel: cancelOf(signal) } : {}),
      })),
      forget: () => {
        for (const [signal, { stop }] of cancels) signal.removeEventListener("abort", stop);
      },
    };
  }

  /** Examples by source, in the order in which sources first come. */
  #groups(examples: readonly Example[]) {
    const groups = new Map<string, { source: number[]; targets: Target[] }>();
    for (const { source, target, weight, tokens, columns } of examples) {
      if (weight === 0) continue;
      const group = groups.get(source) ?? { source: this.encoder.source(source), targets: [] };
      groups.set(source, group);
      group.targets.push({
        tokens: tokens ?? this.encoder.target(target),
        weight,
        ...(columns ? { columns } : {}),
      });
    }
    return [...groups.values()];
  }
}

/** @throws UserError where a model and its tokenizers do not belong together. */
export function mustFit({ source, target }: TextCodec, config: MarianConfig, folder: string): void {
  const compare = (what: string, ours: number, theirs: number) => {
    if (ours !== theirs)
      throw new UserError(
        `the tokenizer has ${what} ${ours}, but the model has ${theirs}. Copy the model folder again.`,
        { file: folder },
      );
  };
  compare("a vocabulary of", source.vocabularySize, config.vocabulary);
  compare("a target vocabulary of", target.vocabularySize, config.targetVocabulary);
  compare("end-of-sentence as token", target.eosId, config.eosId);
  compare("<pad> as token", target.padId, config.padId);
}

/** The options that the worker needs; functions and signals cannot cross. */
function arithmetic(options: TrainOptions): TrainingOptions {
  const { steps, batchTokens, accumulate, learningRate, warmupSteps, schedule } = options;
  const { labelSmoothing, dropout, weightDecay, clipNorm, averageDecay, seed } = options;
  return {
    steps,
    batchTokens,
    accumulate,
    learningRate,
    warmupSteps,
    schedule,
    labelSmoothing,
    dropout,
    weightDecay,
    clipNorm,
    averageDecay,
    seed,
  };
}
