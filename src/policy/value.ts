/** The behaviour value function V^β: what return a policy's samples end with, judged at every prefix (paper A.8.1). */

import { extname } from "node:path";
import { writeFolderAtomic } from "../store/atomic.js";
import type { Remote, Thread } from "../tensor/thread.js";
import { saveTextCodec } from "../text/text-codec.js";
import type { NativePolicy } from "./native.js";
import { endless, type OnlineOptions, OnlineTraining } from "./online-training.js";
import { packGroups } from "./packed.js";
import type { TrainResult } from "./policy.js";
import { remoteStream } from "./remote-stream.js";
import { type TrainLoopOptions, trainLoop } from "./train-loop.js";
import type { TrainingOptions } from "./training.js";
import type { OpenArgs, TrainRequest } from "./value-worker.js";

const WORKER = new URL(`./value-worker${extname(import.meta.url)}`, import.meta.url);

/** A source and a candidate's token ids, end-of-sentence included. */
export interface Sequence {
  readonly source: string;
  readonly tokens: readonly number[];
}

export interface ReturnExample extends Sequence {
  /** Gₜ for each token, [T]. */
  readonly returns: Float32Array;
}

/** A network of its own, with the policy's sizes and tokenizers. */
export class ValueFunction {
  readonly #remote: Remote;
  readonly #policy: Pick<NativePolicy, "encoder" | "codec">;

  private constructor(remote: Remote, policy: Pick<NativePolicy, "encoder" | "codec">) {
    this.#remote = remote;
    this.#policy = policy;
  }

  /** A new one with the body of a policy's folder, which gives every state the value `start`. */
  static async fromPolicy(
    thread: Thread,
    policy: NativePolicy,
    policyFolder: string,
    start: number,
  ): Promise<ValueFunction> {
    return new ValueFunction(await thread.open(WORKER, { policyFolder, start } satisfies OpenArgs), policy);
  }

  /** Loads what `save` wrote; `policy` has the same tokenizers. @throws UserError where a file is missing or does not fit. */
  static async load(thread: Thread, folder: string, policy: NativePolicy): Promise<ValueFunction> {
    return new ValueFunction(await thread.open(WORKER, { folder } satisfies OpenArgs), policy);
  }

  /** V(sₜ) for each token of each sequence, [T] each: the state before token t is chosen. */
  async values(sequences: readonly Sequence[], signal?: AbortSignal): Promise<Float32Array[]> {
    const groups = sequences.map(({ source, tokens }) => ({
      source: this.#policy.encoder.source(source),
      targets: [{ tokens, weight: 1 }],
    }));
    const found: Float32Array[] = [];
    for await (const data of remoteStream(this.#remote, "values", packGroups(groups), signal))
      for (const { index, numbers } of data as { index: number; numbers: Float32Array }[])
        found[index] = numbers;
    return found;
  }

  /** Least squares on the returns. */
  async train(
    examples: readonly ReturnExample[],
    options: TrainingOptions & TrainLoopOptions,
  ): Promise<TrainResult> {
    const { evaluate: _e, stateFile: _s, onProgress: _p, onNote: _n, signal: _a, ...arithmetic } = options;
    const request: TrainRequest = { groups: packGroups(this.#groups(examples)), options: arithmetic };
    await this.#remote.call("beginTraining", request);
    return trainLoop(this.#remote, options);
  }

  /** Begins a least-squares training whose returns come batch by batch. */
  async trainOnline(options: OnlineOptions): Promise<OnlineTraining<ReturnExample>> {
    const request: TrainRequest = { groups: packGroups([]), options: endless(options) };
    await this.#remote.call("beginTraining", request);
    return new OnlineTraining(this.#remote, (examples) => packGroups(this.#groups(examples)));
  }

  /** Writes a folder; it appears whole or not at all. */
  async save(folder: string): Promise<void> {
    await writeFolderAtomic(folder, async (aside) => {
      await this.#remote.call("save", aside);
      await saveTextCodec(this.#policy.codec, aside);
    });
  }

  async release(): Promise<void> {
    await this.#remote.release();
  }

  #groups(examples: readonly ReturnExample[]) {
    const groups = new Map<string, ReturnExample[]>();
    for (const example of examples) {
      const group = groups.get(example.source) ?? [];
      groups.set(example.source, group);
      group.push(example);
    }
    return Array.from(groups, ([source, targets]) => ({
      source: this.#policy.encoder.source(source),
      targets: targets.map(({ tokens, returns }) => ({ tokens, weight: 1, columns: { returns } })),
    }));
  }
}
