/** The part of BLEURT that lives in the worker thread: its weights and the forward pass. */

import { MASKED } from "../../../model/marian.js";
import { floatData, floats, integers, Program, type Tensor } from "../../../tensor/program.js";
import type { CallContext, RemoteObject } from "../../../tensor/thread-worker.js";
import { eachBatch } from "../batches.js";
import { type PackedSequences, unpackSequences } from "../packed.js";
import type { BleurtFolder } from "./folder.js";
import { bleurtGraph } from "./network.js";
import { readBleurtWeights } from "./weights.js";

export type OpenArgs = BleurtFolder;

export interface ScoreRequest {
  readonly sequences: PackedSequences;
  /** Of each sequence, how many ids are of the first segment. */
  readonly first: Int32Array;
  readonly batchTokens?: number;
}

export default async function open(folder: OpenArgs): Promise<RemoteObject> {
  const { config, weights } = await readBleurtWeights(folder);
  const { graph, scores } = bleurtGraph(config);
  const network = new Network(
    Object.fromEntries(Object.entries(weights).map(([name, { data, shape }]) => [name, floats(data, shape)])),
    // The weights are fed: a program that holds more than 2 GB cannot be written down.
    await Program.compile(graph, { scores }),
  );
  return {
    methods: { score: (request: ScoreRequest, context) => network.score(request, context) },
    release: () => network.release(),
  };
}

class Network {
  readonly #weights: Readonly<Record<string, Tensor>>;
  readonly #program: Program;

  constructor(weights: Readonly<Record<string, Tensor>>, program: Program) {
    this.#weights = weights;
    this.#program = program;
  }

  /** One number a sequence, in order, as the network gives it. */
  async score({ sequences, first, batchTokens }: ScoreRequest, context: CallContext): Promise<Float32Array> {
    const all = unpackSequences(sequences);
    const found = new Float32Array(all.length);
    await eachBatch([...sequences.lengths], batchTokens, context, async (places) => {
      const scores = await this.#run(places.map((place) => ({ ids: all[place]!, first: first[place]! })));
      places.forEach((place, i) => {
        found[place] = scores[i]!;
      });
    });
    return found;
  }

  async #run(pairs: readonly { ids: Int32Array; first: number }[]): Promise<Float32Array> {
    const [batch, time] = [pairs.length, Math.max(...pairs.map(({ ids }) => ids.length))];
    const ids = new Int32Array(batch * time);
    const types = new Int32Array(batch * time);
    const mask = new Float32Array(batch * time).fill(MASKED);
    pairs.forEach((pair, row) => {
      const [start, end] = [row * time, row * time + pair.ids.length];
      ids.set(pair.ids, start);
      types.fill(1, start + pair.first, end);
      mask.fill(0, start, end);
    });
    const { scores } = await this.#program.run(
      {
        ...this.#weights,
        ids: integers(ids, [batch, time]),
        types: integers(types, [batch, time]),
        mask: floats(mask, [batch, 1, 1, time]),
        positions: integers(
          Array.from({ length: time }, (_, i) => i),
          [time],
        ),
        starts: integers(
          Array.from({ length: batch }, (_, row) => row * time),
          [batch],
        ),
      },
      { batch, time },
    );
    return floatData(scores);
  }

  release(): Promise<void> {
    return this.#program.release();
  }
}
