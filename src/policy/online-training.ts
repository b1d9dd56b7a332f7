/** A training that goes on with new examples again and again, Adam's state and the compiled program kept. */

import { Interrupted } from "../errors.js";
import { writeAside } from "../store/atomic.js";
import type { Remote } from "../tensor/thread.js";
import type { PackedGroups } from "./packed.js";
import type { Loaded, TrainingOptions, TrainingProgress } from "./training.js";
import type { StepsDone } from "./training-session.js";

/** There is no last step to fall towards, so the learning rate stays where the warm-up leaves it. */
export type OnlineOptions = Omit<TrainingOptions, "steps" | "schedule">;

export interface OnlineUpdate {
  /** Updates done so far, of all batches. */
  readonly steps: number;
  /** Mean loss of this batch as the training reports it. */
  readonly loss: number;
}

/** What a worker is told of an online training. */
export function endless(options: OnlineOptions): TrainingOptions {
  return { ...options, steps: Number.MAX_SAFE_INTEGER, schedule: "constant" };
}

/** Made by the object that it trains, whose weights are those of the last update. */
export class OnlineTraining<Example> {
  readonly #remote: Remote;
  readonly #pack: (examples: readonly Example[]) => PackedGroups;

  constructor(remote: Remote, pack: (examples: readonly Example[]) => PackedGroups) {
    this.#remote = remote;
    this.#pack = pack;
  }

  /** Passes `epochs` times over the examples. @throws Interrupted when `signal` asks for the stop. */
  async update(
    examples: readonly Example[],
    epochs: number,
    options: { onProgress?: (progress: TrainingProgress) => void; signal?: AbortSignal | undefined } = {},
  ): Promise<OnlineUpdate> {
    const { onProgress, signal } = options;
    const aPass = (await this.#remote.call("replaceExamples", this.#pack(examples))) as number;
    const done = (await this.#remote.call("trainSteps", epochs * aPass, {
      onProgress: (data) => onProgress?.(data as TrainingProgress),
      ...(signal ? { signal } : {}),
    })) as StepsDone;
    if (done.stopped) throw new Interrupted();
    return { steps: done.step, loss: done.loss };
  }

  /** Marks the present weights as those that `end` leaves. */
  async keepBest(): Promise<void> {
    await this.#remote.call("keepBest", undefined);
  }

  /** Writes the state and `extra` as one file, whole. */
  async save(file: string, extra: unknown): Promise<void> {
    await writeAside(file, async (path) => {
      await this.#remote.call("saveTraining", { path, extra });
    });
  }

  /** Goes back to what `save` wrote and returns what that was given; undefined, and nothing is changed, for a damaged file. */
  async load(file: string): Promise<Loaded | undefined> {
    return (await this.#remote.call("loadTraining", file)) as Loaded | undefined;
  }

  /** Leaves the marked weights, or the last where none were marked. */
  async end(): Promise<void> {
    await this.#remote.call("endTraining", undefined);
  }
}
