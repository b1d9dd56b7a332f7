/** The weights of a BLEURT folder under the names of `network.ts`, whatever its layout. */

import { join } from "node:path";
import { UserError } from "../../../errors.js";
import type { BertEncoderConfig } from "../../../model/bert-encoder.js";
import { type Checkpoint, checkpointOver, openCheckpoint } from "../../../model/checkpoint.js";
import { bundleFiles, openTensorBundle } from "../../../model/tensor-bundle.js";
import { type Activation, type BleurtFolder, SAVED_MODEL, VARIABLES } from "./folder.js";
import { kindOf, portName, variableName } from "./names.js";
import { bleurtShapes } from "./network.js";
import { savedGelu } from "./saved-graph.js";

export interface BleurtWeights {
  readonly config: BertEncoderConfig;
  /** By the names of `bleurtShapes`. */
  readonly weights: Readonly<Record<string, Weight>>;
}

interface Weight {
  readonly shape: readonly number[];
  /** Row by row. */
  readonly data: Float32Array;
}

/** How a layout names and keeps the weights. */
interface Layout {
  open(folder: string): Promise<Checkpoint>;
  /** What it calls a weight of `bleurtShapes`. */
  nameOf(weight: string): string;
  /** Whether the matrices of layers are kept as [in, out]. */
  readonly transposed: boolean;
  /** Whether a tensor is none of the network's: a counter of steps, the numbers of the positions. */
  isOther(name: string): boolean;
  activation(folder: string, named: Activation): Promise<BertEncoderConfig["activation"]>;
}

const ACTIVATIONS = {
  gelu: "gelu",
  gelu_new: "gelu-tanh",
  gelu_pytorch_tanh: "gelu-tanh",
  relu: "relu",
} as const;

const LAYOUTS: Readonly<Record<BleurtFolder["layout"], Layout>> = {
  published: {
    open: async (folder) => {
      const prefix = join(folder, VARIABLES);
      const reader = await openTensorBundle(prefix);
      const places = new Map([...reader.shapes.keys()].map((name) => [name, reader] as const));
      return checkpointOver(bundleFiles(prefix)[0], places, () => reader.close());
    },
    nameOf: variableName,
    transposed: true,
    isOther: (name) => name === "global_step" || /\/adam_[mv]$/.test(name),
    activation: async (folder, named) =>
      named === "gelu" ? savedGelu(join(folder, SAVED_MODEL)) : ACTIVATIONS[named],
  },
  port: {
    open: openCheckpoint,
    nameOf: portName,
    transposed: false,
    isOther: (name) => name === "bleurt.embeddings.position_ids",
    activation: async (_, named) => ACTIVATIONS[named],
  },
};

/** BERT's, which the published configurations do not name. */
const EPSILON = 1e-12;

/**
 * Reads all weights of a folder.
 * @throws UserError naming the file and the tensor that is missing, superfluous or of another shape.
 */
export async function readBleurtWeights(from: BleurtFolder): Promise<BleurtWeights> {
  const layout = LAYOUTS[from.layout];
  const source = await layout.open(from.folder);
  try {
    const config: BertEncoderConfig = {
      ...from.sizes,
      // Not every configuration names it.
      embeddingWidth: source.shapes.get(layout.nameOf("embeddings.word.weight"))?.[1] ?? from.sizes.width,
      activation: await layout.activation(from.folder, from.activation),
      epsilon: EPSILON,
    };
    const wanted = [...bleurtShapes(config)].map(([name, shape]) => {
      const turned = layout.transposed && kindOf(name) === "kernel";
      return { name, shape, own: layout.nameOf(name), ownShape: turned ? shape.toReversed() : shape, turned };
    });
    refuseOthers(source, new Set(wanted.map(({ own }) => own)), layout.isOther);
    const weights: Record<string, Weight> = {};
    for (const { name, shape, own, ownShape, turned } of wanted) {
      const data = await source.read(own, ownShape);
      weights[name] = { shape, data: turned ? transposed(data, shape) : data };
    }
    return { config, weights };
  } finally {
    await source.close();
  }
}

function refuseOthers(
  { file, shapes }: Checkpoint,
  known: ReadonlySet<string>,
  isOther: (name: string) => boolean,
): void {
  for (const name of shapes.keys())
    if (!known.has(name) && !isOther(name))
      throw new UserError(
        `tensor "${name}" has no place in the network that the configuration describes. Only BLEURT-20 and its distillations are read here.`,
        { file },
      );
}

/** A matrix kept as [columns, rows], as [rows, columns]. Works on tiles that stay in the cache. */
function transposed(data: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  const turned = new Float32Array(data.length);
  for (let top = 0; top < rows!; top += TILE)
    for (let left = 0; left < columns!; left += TILE) {
      const [bottom, right] = [Math.min(top + TILE, rows!), Math.min(left + TILE, columns!)];
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++)
          turned[row * columns! + column] = data[column * rows! + row]!;
    }
  return turned;
}

const TILE = 32;
