/** A training run inside the worker: epochs of packed batches, one update after another, resumable at any of them. */

import type { Tensor } from "../tensor/program.js";
import { learningRateAt, type Schedule } from "../tensor/schedule.js";
import type { Batch, Trainer } from "../tensor/trainer.js";
import { readState, writeState } from "../tensor/training-state.js";
import { type Group, packBatches } from "./batches.js";
import type { BatchFeeder, DropoutSite } from "./network.js";

/** What decides a training run's arithmetic. */
export interface TrainingOptions {
  readonly steps: number;
  /** Target positions a batch, padding included. */
  readonly batchTokens: number;
  /** Batches of one update; their gradients are summed. */
  readonly accumulate: number;
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly schedule: "constant" | "linear" | "cosine" | "inverse-sqrt";
  readonly labelSmoothing: number;
  readonly dropout: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly averageDecay: number;
  readonly seed: number;
}

export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  /** Mean over the last updates, a token, in nats; label smoothing not counted. */
  readonly loss: number;
  /** Target tokens a second over the last updates. */
  readonly tokensPerSecond: number;
}

/** Which inputs a group becomes, and what an update's loss is divided by. */
export interface TrainingTask {
  batch(groups: readonly Group[], scale: number, at: { step: number; steps: number }): Batch | Promise<Batch>;
  /** Σ of what a group contributes to the loss: weighted tokens, or examples. */
  size(group: Group): number;
  /** The unsmoothed loss of one pass from the program's further outputs. */
  loss(groups: readonly Group[], outputs: Readonly<Record<string, Tensor>>): number;
  /** Is told of each update before it, with the weights that it changes. */
  begin?(step: number, weights: Float32Array): void;
  /** Sees the further outputs of each pass. */
  learn?(outputs: Readonly<Record<string, Tensor>>): void;
  /** Numbers of the task's own that a training goes on with after a kill; loading writes into them. */
  buffers?(): Readonly<Record<string, Float32Array>>;
}

interface Facts {
  step: number;
  adamStep: number;
  tokens: number;
  extra: unknown;
}

/** What a training goes on from. */
export interface Loaded {
  /** As the caller of `save` gave it. */
  readonly extra: unknown;
}

export class Training {
  readonly #trainer: Trainer;
  #groups: readonly Group[];
  readonly #options: TrainingOptions;
  readonly #task: TrainingTask;
  readonly #sites: readonly DropoutSite[];
  readonly #feeder: BatchFeeder;
  /** The update with which the present groups began. */
  #first = 0;
  #epoch = -1;
  #perEpoch = 0;
  #batches: Group[][] = [];
  #step = 0;
  #tokens = 0;
  #best: Float32Array | undefined;

  constructor(
    trainer: Trainer,
    groups: readonly Group[],
    options: TrainingOptions,
    task: TrainingTask,
    sites: readonly DropoutSite[],
    feeder: BatchFeeder,
  ) {
    this.#trainer = trainer;
    this.#groups = groups;
    this.#options = options;
    this.#task = task;
    this.#sites = sites;
    this.#feeder = feeder;
    this.#pack(0);
  }

  get step(): number {
    return this.#step;
  }

  /** Target tokens trained on so far, padding not counted. */
  get tokens(): number {
    return this.#tokens;
  }

  /** The weights that this training would hand over now: their moving average where one is kept. */
  get weights(): Float32Array {
    return this.#trainer.state.average ?? this.#trainer.parameters.data;
  }

  /** Goes on with other groups, what an online method has just sampled; returns the updates of one pass over them. */
  replace(groups: readonly Group[]): number {
    this.#groups = groups;
    this.#first = this.#step;
    this.#epoch = -1;
    this.#perEpoch = 0;
    this.#pack(0);
    return Math.ceil(this.#perEpoch / this.#options.accumulate);
  }

  keepBest(): void {
    this.#best = this.weights.slice();
  }

  get best(): Float32Array | undefined {
    return this.#best;
  }

  /** Runs `count` updates, fewer where training ends or `stop` says so; tells progress about twice a second. */
  async run(
    count: number,
    report: (progress: TrainingProgress) => void,
    stop: () => boolean,
  ): Promise<{ loss: number }> {
    const end = Math.min(this.#options.steps, this.#step + count);
    let lossSum = 0;
    let size = 0;
    let reported = performance.now();
    let sinceReport = 0;
    while (this.#step < end && !stop()) {
      const chosen = this.#next();
      const total = sum(chosen.flat().map((group) => this.#task.size(group)));
      if (total === 0) throw new Error("a training batch has no weight");
      this.#task.begin?.(this.#step, this.#trainer.parameters.data);
      const batches: Batch[] = [];
      for (const [i, groups] of chosen.entries()) {
        const batch = await this.#task.batch(groups, 1 / total, {
          step: this.#step,
          steps: this.#options.steps,
        });
        const position = this.#step * this.#options.accumulate + i;
        const { dropout, seed } = this.#options;
        const masks =
          this.#sites.length === 0
            ? {}
            : this.#feeder.dropout(this.#sites, batch.symbols, dropout, seed, position, i);
        batches.push({ ...batch, feeds: { ...batch.feeds, ...masks } });
      }
      let pass = 0;
      await this.#trainer.update(
        batches,
        {
          learningRate: learningRateAt(scheduleOf(this.#options), this.#step + 1),
          weightDecay: this.#options.weightDecay,
          clipNorm: this.#options.clipNorm,
          averageDecay: this.#options.averageDecay,
        },
        (outputs) => {
          lossSum += this.#task.loss(chosen[pass++]!, outputs);
          this.#task.learn?.(outputs);
        },
      );
      size += total;
      const count = sum(chosen.flat().map(targetTokens));
      this.#tokens += count;
      sinceReport += count;
      this.#step++;
      const now = performance.now();
      if (now - reported > 400 || this.#step === end) {
        report({
          step: this.#step,
          steps: this.#options.steps,
          loss: lossSum / size,
          tokensPerSecond: (1000 * sinceReport) / (now - reported),
        });
        reported = now;
        sinceReport = 0;
      }
    }
    return { loss: size > 0 ? lossSum / size : 0 };
  }

  async save(path: string, extra: unknown): Promise<void> {
    const { adam, average } = this.#trainer.state;
    const facts: Facts = { step: this.#step, adamStep: adam.step, tokens: this.#tokens, extra };
    await writeState(
      path,
      {
        weights: this.#trainer.parameters.data,
        m: adam.m,
        v: adam.v,
        ...(average ? { average } : {}),
        ...(this.#best ? { best: this.#best } : {}),
        ...Object.fromEntries(this.#ownBuffers()),
      },
      facts,
    );
  }

  /**
   * Puts everything back as it was when `save` was called and returns what the caller gave; undefined, and nothing is
   * changed, where the file is damaged.
   */
  async load(path: string): Promise<Loaded | undefined> {
    const { state, parameters } = this.#trainer;
    const found = await readState(path);
    if (!found) return undefined;
    const { buffers, facts } = found;
    const into: [string, Float32Array][] = [
      ["weights", parameters.data],
      ["m", state.adam.m],
      ["v", state.adam.v],
      ...this.#ownBuffers(),
    ];
    if (into.some(([name, own]) => buffers[name]?.length !== own.length)) return undefined;
    for (const [name, own] of into) own.set(buffers[name]!);
    const known = facts as Facts;
    state.adam.step = known.adamStep;
    state.average = buffers.average;
    this.#best = buffers.best;
    this.#step = known.step;
    this.#tokens = known.tokens;
    return { extra: known.extra };
  }

  #ownBuffers(): [string, Float32Array][] {
    return Object.entries(this.#task.buffers?.() ?? {}).map(([name, buffer]) => [`task.${name}`, buffer]);
  }

  /** The batches of the next update; which they are depends on the step alone. */
  #next(): Group[][] {
    const { accumulate } = this.#options;
    const perEpoch = this.#batches.length;
    const first = (this.#step - this.#first) * accumulate;
    return Array.from({ length: accumulate }, (_, i) => {
      const index = first + i;
      this.#pack(Math.floor(index / perEpoch));
      return this.#batches[index % perEpoch]!;
    });
  }

  #pack(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    const packed = packBatches(
      this.#groups,
      this.#options.batchTokens,
      this.#options.seed,
      this.#first + epoch,
    );
    // Packing differs by a batch or so from epoch to epoch; a fixed number keeps "which batch at which step" a formula.
    const count = this.#perEpoch || packed.length;
    this.#perEpoch = count;
    this.#batches = Array.from({ length: count }, (_, i) => packed[i % packed.length]!);
  }
}

function scheduleOf(options: TrainingOptions): Schedule {
  const { learningRate: peak, warmupSteps: warmup, steps } = options;
  switch (options.schedule) {
    case "constant":
      return { kind: "constant", peak, warmup };
    case "linear":
      return { kind: "linear", peak, warmup, steps };
    case "cosine":
      return { kind: "cosine", peak, warmup, steps };
    case "inverse-sqrt":
      return { kind: "inverse-square-root", peak, warmup };
  }
}

function targetTokens(group: Group): number {
  return sum(group.targets.map((target) => target.tokens.length));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
