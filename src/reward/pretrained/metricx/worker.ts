/** The part of MetricX that lives in the worker thread: its weights and the forward pass. */

import { MASKED } from "../../../model/marian.js";
import { distanceBuckets, type Mt5Config, mt5Regression, PAD } from "../../../model/mt5.js";
import { loadMt5Regression } from "../../../model/mt5-folder.js";
import { floatData, floats, integers, Program, type Tensor } from "../../../tensor/program.js";
import type { CallContext, RemoteObject } from "../../../tensor/thread-worker.js";
import { eachBatch } from "../batches.js";
import { type PackedSequences, unpackSequences } from "../packed.js";

/** `<extra_id_10>` of mT5's vocabulary, whose logit is the score. */
export const SCORE_ID = 250089;

export interface OpenArgs {
  readonly folder: string;
}

export interface ScoreRequest {
  readonly sequences: PackedSequences;
  readonly batchTokens?: number;
}

export default async function open({ folder }: OpenArgs): Promise<RemoteObject> {
  const network = await Network.load(folder);
  return {
    methods: {
      vocabulary: () => network.vocabulary,
      score: (request: ScoreRequest, context) => network.score(request, context),
    },
    release: () => network.release(),
  };
}

class Network {
  readonly #config: Mt5Config;
  readonly #weights: Readonly<Record<string, Tensor>>;
  readonly #program: Program;
  #buckets: { time: number; tensor: Tensor } | undefined;

  private constructor(config: Mt5Config, weights: Readonly<Record<string, Tensor>>, program: Program) {
    this.#config = config;
    this.#weights = weights;
    this.#program = program;
  }

  static async load(folder: string): Promise<Network> {
    const { config, weights } = await loadMt5Regression(folder, SCORE_ID);
    const { graph, scores } = mt5Regression(config);
    // The weights are fed: a program that holds more than 2 GB cannot be written down.
    return new Network(config, weights, await Program.compile(graph, { scores }));
  }

  get vocabulary(): number {
    return this.#config.vocabulary;
  }

  /** One number a sequence, as the network gives it: not yet cut to the scale. */
  async score({ sequences, batchTokens }: ScoreRequest, context: CallContext): Promise<Float32Array> {
    const all = unpackSequences(sequences);
    const found = new Float32Array(all.length);
    await eachBatch([...sequences.lengths], batchTokens, context, async (places) => {
      const { scores } = await this.#run(places.map((place) => all[place]!));
      floatData(scores).forEach((score, i) => {
        found[places[i]!] = score;
      });
    });
    return found;
  }

  #run(batch: readonly Int32Array[]): Promise<Record<string, Tensor>> {
    const time = Math.max(...batch.map(({ length }) => length));
    const ids = new Int32Array(batch.length * time).fill(PAD);
    const mask = new Float32Array(batch.length * time).fill(MASKED);
    batch.forEach((sequence, row) => {
      ids.set(sequence, row * time);
      mask.fill(0, row * time, row * time + sequence.length);
    });
    return this.#program.run(
      {
        ...this.#weights,
        ids: integers(ids, [batch.length, time]),
        mask: floats(mask, [batch.length, 1, 1, time]),
        buckets: this.#bucketsOf(time),
      },
      { batch: batch.length, time },
    );
  }

  /** Batches are sorted by length, so that neighbours often share it. */
  #bucketsOf(time: number): Tensor {
    if (this.#buckets?.time !== time)
      this.#buckets = { time, tensor: integers(distanceBuckets(time, this.#config), [time, time]) };
    return this.#buckets.tensor;
  }

  release(): Promise<void> {
    return this.#program.release();
  }
}
