/** The training that a worker's object has under way, and the methods by which the main thread drives it. */

import type { CallContext, RemoteObject } from "../tensor/thread-worker.js";
import type { Trainer } from "../tensor/trainer.js";
import type { Loaded, Training } from "./training.js";

/** What `trainSteps` answers. */
export interface StepsDone {
  step: number;
  loss: number;
  tokens: number;
  stopped: boolean;
}

export class TrainingSession {
  readonly #take: (weights: Float32Array) => Promise<void> | void;
  #training: Training | undefined;
  #trainer: Trainer | undefined;

  /** `take` makes weights those that the object works with: after each call of `trainSteps`, and at the end. */
  constructor(take: (weights: Float32Array) => Promise<void> | void) {
    this.#take = take;
  }

  get training(): Training {
    if (!this.#training) throw new Error("no training has begun");
    return this.#training;
  }

  begin(trainer: Trainer, training: Training): void {
    this.#trainer = trainer;
    this.#training = training;
  }

  /** Takes over the best weights, or the last where none were marked. */
  async end(): Promise<void> {
    if (this.#training) await this.#take(this.#training.best ?? this.#training.weights);
    await this.#trainer?.release();
    this.#training = undefined;
    this.#trainer = undefined;
  }

  readonly methods: RemoteObject["methods"] = {
    trainSteps: async (count: number, context: CallContext): Promise<StepsDone> => {
      const { training } = this;
      const { loss } = await training.run(count, context.progress, context.cancelled);
      await this.#take(training.weights);
      return { step: training.step, loss, tokens: training.tokens, stopped: context.cancelled() };
    },
    keepBest: () => this.training.keepBest(),
    saveTraining: ({ path, extra }: { path: string; extra: unknown }) => this.training.save(path, extra),
    /** Undefined for a damaged state: then training is at its beginning still. */
    loadTraining: async (path: string): Promise<Loaded | undefined> => {
      const loaded = await this.training.load(path);
      await this.#take(this.training.weights);
      return loaded;
    },
    endTraining: () => this.end(),
  };
}
