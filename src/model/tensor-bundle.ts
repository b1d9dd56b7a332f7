/**
 * Variables of a TensorFlow checkpoint or SavedModel, read as data: `NAME.index` is a sorted table from the names of the tensors
 * to their descriptions, `NAME.data-00000-of-00001` holds the numbers, little-endian
 * (tensorflow/core/protobuf/tensor_bundle.proto).
 */

import { readFile } from "node:fs/promises";
import { UserError } from "../errors.js";
import { ProtobufError, protobufFields } from "../protobuf.js";
import { maskedCrc32c } from "./crc32c.js";
import { fileError, openToRead, readFully } from "./files.js";
import { fromBrainFloat, fromHalf } from "./half.js";
import type { TensorReader } from "./safetensors.js";
import { TableError, tableEntries } from "./sorted-table.js";

/** Types that are read, by TensorFlow's number (types.proto), and the bytes of a number in each. */
const KINDS = new Map([
  [1, { name: "float", width: 4 }],
  [9, { name: "int64", width: 8 }],
  [14, { name: "bfloat16", width: 2 }],
  [19, { name: "half", width: 2 }],
]);

export interface TensorDescription {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  /** In bytes, in the file of numbers. */
  readonly offset: number;
  readonly size: number;
  /** Masked. */
  readonly checksum: number;
}

/** Of a model of a thousand tensors it has some 60 kB. */
const LARGEST_INDEX = 64 << 20;

/**
 * Opens the checkpoint `prefix` (the path without `.index`), to be read a tensor at a time. Every checksum is checked.
 *
 * Throws `UserError`, naming the file and the tensor, for files that are missing, damaged, in several parts, big-endian, or that
 * hold another type than float, half, bfloat16 and int64; `read` throws one where the numbers are damaged.
 */
export async function openTensorBundle(prefix: string): Promise<TensorReader> {
  const [indexPath, path] = bundleFiles(prefix);
  const described = parseBundleIndex(await readIndex(indexPath), indexPath);
  const handle = await openToRead(path);
  try {
    checkLayout(described, (await handle.stat()).size, path);
  } catch (error) {
    await handle.close();
    throw error;
  }
  const byName = new Map(described.map((tensor) => [tensor.name, tensor] as const));
  return {
    shapes: new Map(described.map(({ name, shape }) => [name, shape] as const)),
    read: async (name, row) => {
      const tensor = byName.get(name);
      if (!tensor) throw new Error(`no tensor is named ${name}`);
      const buffer = new ArrayBuffer(tensor.size);
      const bytes = new Uint8Array(buffer);
      await readFully(handle, bytes, tensor.offset, path);
      if (maskedCrc32c(bytes) !== tensor.checksum)
        throw new UserError(`tensor "${name}" has a wrong checksum: the file is damaged. Copy it again.`, {
          file: path,
        });
      const numbers = numbersOf(buffer, tensor.type);
      if (row === undefined) return numbers;
      // The checksum is that of all rows, so that one alone is not read faster.
      const width = numbers.length / tensor.shape[0]!;
      return numbers.slice(row * width, (row + 1) * width);
    },
    close: () => handle.close(),
  };
}

/** The two files of a checkpoint. */
export function bundleFiles(prefix: string): [index: string, data: string] {
  return [`${prefix}.index`, `${prefix}.data-00000-of-00001`];
}

async function readIndex(path: string): Promise<Uint8Array> {
  const handle = await openToRead(path);
  try {
    const { size } = await handle.stat();
    if (size > LARGEST_INDEX)
      throw new UserError(`has ${size} bytes, too many for the index of a checkpoint.`, { file: path });
  } finally {
    await handle.close();
  }
  return readFile(path).catch((error: unknown) => {
    throw fileError(error, "be read", path);
  });
}

/**
 * What the bytes of an index say of each tensor, in the order of their places in the file of numbers.
 * @throws UserError naming `path`.
 */
export function parseBundleIndex(index: Uint8Array, path: string): TensorDescription[] {
  try {
    const described: TensorDescription[] = [];
    let headed = false;
    for (const { key, value } of tableEntries(index)) {
      // The header has the empty key, and so comes first.
      if (key.length === 0) checkHeader(value);
      else described.push(describe(Buffer.from(key).toString("utf8"), value));
      headed ||= key.length === 0;
    }
    if (!headed) throw new TableError("has no header");
    return described.sort((a, b) => a.offset - b.offset || a.size - b.size);
  } catch (error) {
    if (!(error instanceof TableError || error instanceof ProtobufError)) throw error;
    throw new UserError(
      `${error.message}: this is not the index of a TensorFlow checkpoint that is read here. Copy the folder again.`,
      { file: path },
      { cause: error },
    );
  }
}

/** `BundleHeaderProto`: how many files of numbers there are, and in which order of bytes. */
function checkHeader(message: Uint8Array): void {
  const fields = numbersIn(message);
  const parts = fields.get(1) ?? 0;
  if (parts !== 1) throw new TableError(`has its numbers in ${parts} files, not in one`);
  if ((fields.get(2) ?? 0) !== 0) throw new TableError("has its numbers in big-endian order");
}

/** `BundleEntryProto` */
function describe(name: string, message: Uint8Array): TensorDescription {
  let shape: number[] = [];
  let checksum: number | undefined;
  for (const { number, value } of protobufFields(message)) {
    if (number === 2 && typeof value !== "number") shape = sizesIn(value, name);
    else if (number === 6 && typeof value !== "number" && value.length === 4)
      checksum = new DataView(value.buffer, value.byteOffset).getUint32(0, true);
    else if (number === 7) throw new TableError(`has tensor "${name}" in slices`);
  }
  const fields = numbersIn(message);
  const [type, shard, offset, size] = [1, 3, 4, 5].map((number) => fields.get(number) ?? 0);
  const kind = KINDS.get(type!);
  if (!kind)
    throw new TableError(
      `has tensor "${name}" of TensorFlow's type ${type}, not float, half, bfloat16 or int64`,
    );
  const needed = shape.reduce((product, length) => product * length, kind.width);
  if (size !== needed)
    throw new TableError(
      `gives tensor "${name}" ${size} bytes, but ${kind.name} of shape [${shape}] has ${needed}`,
    );
  if (shard !== 0 || checksum === undefined) throw new TableError(`describes tensor "${name}" in part`);
  return { name, type: type!, shape, offset: offset!, size, checksum };
}

/** `TensorShapeProto` */
function sizesIn(message: Uint8Array, name: string): number[] {
  const sizes: number[] = [];
  for (const { number, value } of protobufFields(message)) {
    if (number !== 2 || typeof value === "number")
      throw new TableError(`does not know the shape of tensor "${name}"`);
    sizes.push(numbersIn(value).get(1) ?? 0);
  }
  return sizes;
}

/** The last whole number in each field. */
function numbersIn(message: Uint8Array): Map<number, number> {
  const numbers = new Map<number, number>();
  for (const { number, value } of protobufFields(message))
    if (typeof value === "number") numbers.set(number, value);
  return numbers;
}

/** Makes sure that tensors neither overlap, so that no more is read than the file has, nor reach beyond the file's end. */
function checkLayout(sorted: readonly TensorDescription[], available: number, path: string): void {
  let position = 0;
  for (const { name, offset, size } of sorted) {
    if (offset < position)
      throw new UserError(`tensor "${name}" overlaps the one before it.`, { file: path });
    position = offset + size;
    if (position > available)
      throw new UserError(
        `tensor "${name}" ends at byte ${position}, but only ${available} are there: the file is cut short. Copy it again.`,
        { file: path },
      );
  }
}

function numbersOf(buffer: ArrayBuffer, type: number): Float32Array | BigInt64Array {
  switch (KINDS.get(type)?.name) {
    case "int64":
      return new BigInt64Array(buffer);
    case "bfloat16":
      return fromBrainFloat(new Uint16Array(buffer));
    case "half":
      return fromHalf(new Uint16Array(buffer));
    default:
      return new Float32Array(buffer);
  }
}
