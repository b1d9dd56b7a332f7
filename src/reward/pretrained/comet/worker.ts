/** The part of COMET that lives in the worker thread: its weights and forward passes. */

import { MASKED } from "../../../model/marian.js";
import { floatData, floats, integers, Program } from "../../../tensor/program.js";
import type { CallContext, RemoteObject } from "../../../tensor/thread-worker.js";
import { eachBatch } from "../batches.js";
import { type PackedSequences, unpackSequences } from "../packed.js";
import { type CometModel, type CometWeights, readWeights } from "./checkpoint.js";
import { featureWidth, writeFeatures } from "./features.js";
import { estimatorGraph, sentenceGraph } from "./graph.js";
import { FIRST_POSITION, PADDING } from "./text.js";

export type OpenArgs = CometModel;

export interface ScoreRequest {
  /** Different sequences, each once. */
  readonly sequences: PackedSequences;
  /** The sequences of each input, by their places, `perInput` an input. */
  readonly places: Int32Array;
  readonly perInput: number;
  readonly batchTokens?: number;
}

export default async function open(model: OpenArgs): Promise<RemoteObject> {
  const network = await Network.load(model);
  return {
    methods: {
      score: (request: ScoreRequest, context) => network.score(request, context),
      vectors: (sequences: PackedSequences, context) => network.vectors(unpackSequences(sequences), context),
    },
    release: () => network.release(),
  };
}

class Network {
  readonly #model: CometModel;
  readonly #weights: CometWeights;
  readonly #sentences: Program;
  readonly #estimator: Program;

  private constructor(model: CometModel, weights: CometWeights, sentences: Program, estimator: Program) {
    this.#model = model;
    this.#weights = weights;
    this.#sentences = sentences;
    this.#estimator = estimator;
  }

  static async load(model: CometModel): Promise<Network> {
    const { settings, config } = model;
    const weights = await readWeights(model);
    const normalise = settings.layer === "mix" && settings.layerNorm;
    const sentences = sentenceGraph(config, weights.mixture, normalise);
    const estimator = estimatorGraph(settings, featureWidth(settings.kind, config.width));
    // The weights are fed: a program that holds more than 2 GB cannot be written down.
    return new Network(
      model,
      weights,
      await Program.compile(sentences.graph, { vectors: sentences.vectors }),
      await Program.compile(estimator.graph, { scores: estimator.scores }),
    );
  }

  /** One raw score an input. Reports how many sequences are encoded. */
  async score(request: ScoreRequest, context: CallContext): Promise<Float64Array> {
    const { settings, config } = this.#model;
    const { places, perInput } = request;
    const vectors = await this.vectors(unpackSequences(request.sequences), context, request.batchTokens);
    const rowOf = (place: number) => vectors.subarray(place * config.width, (place + 1) * config.width);
    // A unified model has a score for each of its sequences, and their mean counts; the others one for all of them.
    const perRow = settings.kind === "unified" ? 1 : perInput;
    const rows = places.length / perRow;
    const width = featureWidth(settings.kind, config.width);
    const features = new Float32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const own = Array.from(places.subarray(row * perRow, (row + 1) * perRow), rowOf);
      writeFeatures(settings.kind, own, features.subarray(row * width, (row + 1) * width));
    }
    const { scores } = await this.#estimator.run(
      { ...this.#weights.tensors, features: floats(features, [rows, width]) },
      { row: rows },
    );
    const found = floatData(scores);
    const perMean = perInput / perRow;
    return Float64Array.from({ length: rows / perMean }, (_, input) =>
      found.subarray(input * perMean, (input + 1) * perMean).reduce((sum, score) => sum + score / perMean, 0),
    );
  }

  /** The vectors of sequences, flat [sequence*width]. */
  async vectors(
    all: readonly Int32Array[],
    context: CallContext,
    batchTokens?: number,
  ): Promise<Float32Array> {
    const { width } = this.#model.config;
    const vectors = new Float32Array(all.length * width);
    const lengths = all.map(({ length }) => length);
    await eachBatch(lengths, batchTokens, context, async (places) => {
      const found = await this.#encode(places.map((place) => all[place]!));
      places.forEach((place, row) => {
        vectors.set(found.subarray(row * width, (row + 1) * width), place * width);
      });
    });
    return vectors;
  }

  async #encode(batch: readonly Int32Array[]): Promise<Float32Array> {
    const { settings, config } = this.#model;
    const [rows, time] = [batch.length, Math.max(...batch.map(({ length }) => length))];
    const ids = new Int32Array(rows * time).fill(PADDING);
    const mask = new Float32Array(rows * time).fill(MASKED);
    const pool = new Float32Array(rows * time);
    const real = new Float32Array(rows * time);
    const share = new Float32Array(rows);
    batch.forEach((sequence, row) => {
      const [start, { length }] = [row * time, sequence];
      ids.set(sequence, start);
      mask.fill(0, start, start + length);
      real.fill(1, start, start + length);
      share[row] = 1 / (length * config.width);
      if (settings.pool === "avg") pool.fill(1 / length, start, start + length);
      else pool[start] = 1;
    });
    const positions = Array.from({ length: time }, (_, t) => FIRST_POSITION + t);
    const { vectors } = await this.#sentences.run(
      {
        ...this.#weights.tensors,
        ids: integers(ids, [rows, time]),
        positions: integers(positions, [time]),
        mask: floats(mask, [rows, 1, 1, time]),
        pool: floats(pool, [rows, 1, time]),
        real: floats(real, [rows, time, 1]),
        share: floats(share, [rows, 1, 1]),
      },
      { batch: rows, time },
    );
    return floatData(vectors);
  }

  async release(): Promise<void> {
    await this.#sentences.release();
    await this.#estimator.release();
  }
}
