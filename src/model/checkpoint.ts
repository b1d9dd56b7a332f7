/**
 * The weights of a Hugging Face folder, read one tensor at a time: `model.safetensors` or `pytorch_model.bin`, also cut into
 * shards that an index lists (`model.safetensors.index.json`).
 */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.js";
import { fileError, readIfThere } from "./files.js";
import { openSafetensors, type TensorReader } from "./safetensors.js";
import { openTorchFile } from "./torch-file.js";

const SAFETENSORS = "model.safetensors";
const TORCH = "pytorch_model.bin";

/** Where several are there, the first is taken, as Transformers does. */
const FORMS = [
  { whole: SAFETENSORS, index: `${SAFETENSORS}.index.json`, open: openSafetensors },
  { whole: TORCH, index: `${TORCH}.index.json`, open: openTorchFile },
] as const;

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string().min(1)) });

/** The weights of a folder; `close` it when they are read. */
export interface Checkpoint {
  /** The file that lists or holds them, for messages. */
  readonly file: string;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /**
   * The real numbers of a tensor of `shape`, or of one of its rows; 16-bit ones widened, exactly.
   * @throws UserError naming the file where it is missing, has another shape, or holds whole numbers.
   */
  read(name: string, shape: readonly number[], row?: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** The files of a folder's weights, the index of shards among them. @throws UserError where there are none. */
export async function checkpointFiles(folder: string): Promise<string[]> {
  const { name, index, shards } = await findWeights(folder);
  return [...(index ? [name] : []), ...new Set(shards.values())].map((file) => join(folder, file));
}

/**
 * Opens the weights of a folder.
 * @throws UserError, naming the file, where there are none or a shard is missing, malformed or not as the index says.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const { name, index, shards, open } = await findWeights(folder);
  const file = join(folder, name);
  const readers = new Map<string, TensorReader>();
  const close = async () => {
    for (const reader of readers.values()) await reader.close();
  };
  try {
    const places = new Map<string, TensorReader>();
    for (const shard of new Set(shards.values())) {
      const reader = await open(join(folder, shard));
      readers.set(shard, reader);
      for (const tensor of reader.shapes.keys()) {
        if (index && shards.get(tensor) !== shard)
          throw new UserError(
            `tensor "${tensor}" is not where ${name} has it. Copy the model folder again: its files belong to different models.`,
            { file: join(folder, shard) },
          );
        places.set(tensor, reader);
      }
    }
    if (index)
      for (const [tensor, shard] of shards)
        if (!places.has(tensor))
          throw new UserError(
            `has no tensor "${tensor}", which ${name} says is here. Copy the model folder again.`,
            {
              file: join(folder, shard),
            },
          );
    return checkpointOver(file, places, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** The weights that `places` have by name, each in the file that it is read from; `file` stands for all in messages. */
export function checkpointOver(
  file: string,
  places: ReadonlyMap<string, TensorReader>,
  close: () => Promise<void>,
): Checkpoint {
  const shapes = new Map(
    [...places].map(([tensor, reader]) => [tensor, reader.shapes.get(tensor)!] as const),
  );
  return {
    file,
    shapes,
    read: async (tensor, shape, row) => {
      const found = shapes.get(tensor);
      if (!found)
        throw new UserError(
          `tensor "${tensor}" of shape [${shape}] is missing. Copy the model folder again, with all of its weights.`,
          { file },
        );
      if (found.length !== shape.length || shape.some((size, axis) => size !== found[axis]))
        throw new UserError(
          `tensor "${tensor}" has shape [${found}], but [${shape}] was expected. The weights and the configuration belong to different models.`,
          { file },
        );
      const data = await places.get(tensor)!.read(tensor, row);
      if (!(data instanceof Float32Array))
        throw new UserError(`tensor "${tensor}" holds whole numbers, expected real ones.`, { file });
      return data;
    },
    close,
  };
}

interface Weights {
  /** The file of weights, or the index of its shards. */
  readonly name: string;
  readonly index: boolean;
  /** File by tensor; where there is no index, the one file by an empty name. */
  readonly shards: ReadonlyMap<string, string>;
  readonly open: (path: string) => Promise<TensorReader>;
}

async function findWeights(folder: string): Promise<Weights> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw fileError(error, "be read", folder);
  }
  for (const { whole, index, open } of FORMS) {
    if (names.includes(whole)) return { name: whole, index: false, shards: new Map([["", whole]]), open };
    if (!names.includes(index)) continue;
    const shards = await readIndex(join(folder, index));
    for (const shard of new Set(shards.values()))
      if (!names.includes(shard))
        throw new UserError(`there is no such file, but ${index} names it. Copy the model folder again.`, {
          file: join(folder, shard),
        });
    return { name: index, index: true, shards, open };
  }
  const other = names.find((name) => /\.(?:h5|msgpack|npz|onnx|ckpt)$/.test(name));
  throw new UserError(
    other === undefined
      ? "there is no such file. Copy the model folder again, with its weights."
      : `there is no such file, only ${other}. Load the model in Transformers and save it with save_pretrained.`,
    { file: join(folder, SAFETENSORS) },
  );
}

async function readIndex(file: string): Promise<Map<string, string>> {
  let content: unknown;
  try {
    content = JSON.parse((await readIfThere(file)) ?? "");
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UserError("is not JSON (cut short?). Copy the model folder again.", { file }, { cause });
  }
  const parsed = indexSchema.safeParse(content);
  if (!parsed.success)
    throw new UserError(
      "has no weight_map of tensors and files. Copy the model folder again.",
      { file },
      { cause: parsed.error },
    );
  const shards = new Map(Object.entries(parsed.data.weight_map));
  for (const shard of shards.values())
    if (/[\\/]/.test(shard))
      throw new UserError(`names the file ${JSON.stringify(shard)}, which is not in this folder.`, { file });
  return shards;
}
