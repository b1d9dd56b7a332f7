/**
 * Weights in and out as safetensors files: 8 bytes of header length, a JSON header, then the numbers, little-endian
 * (https://github.com/huggingface/safetensors, "Format"). Every platform that the engine runs on is little-endian too.
 */

import type { FileHandle } from "node:fs/promises";
import { UserError } from "../errors.js";
import { openToRead, readFully, writeWhole } from "./files.js";
import { fromBrainFloat, fromHalf } from "./half.js";

export interface StoredTensor {
  readonly shape: readonly number[];
  /** Row-major. `BigInt64Array` is a file's I64; F16 and BF16 arrive as 32-bit numbers, exactly. */
  readonly data: Float32Array | BigInt64Array;
}

export interface SafetensorsFile {
  /** By name, in the order in which the numbers lie in the file. */
  readonly tensors: Map<string, StoredTensor>;
  /** The file's `__metadata__`, empty if it has none. */
  readonly metadata: Record<string, string>;
}

/** A file whose tensors are read one at a time, so that a large model is never held twice. */
export interface TensorReader {
  /** By name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The numbers of a tensor of `shapes`, or of one of its rows; 16-bit ones widened, exactly. */
  read(name: string, row?: number): Promise<StoredTensor["data"]>;
  close(): Promise<void>;
}

const BYTES = { F32: 4, F16: 2, BF16: 2, I64: 8 } as const;
type Kind = keyof typeof BYTES;

interface Entry {
  readonly name: string;
  readonly kind: Kind;
  readonly shape: readonly number[];
  /** In bytes from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

const LENGTH_BYTES = 8;
/** The format's own limit: a larger number is not a header's length. */
const LONGEST_HEADER = 100_000_000;

/**
 * Reads all tensors of the file `path`. The numbers are read into one buffer, of which F32 and I64 tensors are views:
 * the file is never held twice.
 *
 * Throws `UserError`, naming the file and the tensor, for a file that cannot be opened, is cut short, is not in this
 * format, repeats a name, leaves gaps or overlaps, or holds another type than F32, F16, BF16 and I64.
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await openToRead(path);
  try {
    const { size } = await handle.stat();
    const { entries, metadata, dataStart } = await readHeader(handle, size, path);
    const buffer = new ArrayBuffer(size - dataStart);
    await readFully(handle, new Uint8Array(buffer), dataStart, path);
    const tensors = new Map<string, StoredTensor>();
    for (const entry of entries)
      tensors.set(entry.name, { shape: entry.shape, data: numbers(buffer, entry) });
    return { tensors, metadata };
  } finally {
    await handle.close();
  }
}

/**
 * Opens the file `path` without reading its numbers.
 *
 * Throws `UserError` as `readSafetensors` does.
 */
export async function openSafetensors(path: string): Promise<TensorReader> {
  const handle = await openToRead(path);
  try {
    const { size } = await handle.stat();
    const { entries, dataStart } = await readHeader(handle, size, path);
    const byName = new Map(entries.map((entry) => [entry.name, entry] as const));
    return {
      shapes: new Map(entries.map(({ name, shape }) => [name, shape] as const)),
      read: async (name, row) => {
        const entry = byName.get(name);
        if (!entry) throw new Error(`no tensor is named ${name}`);
        const whole = entry.end - entry.begin;
        const length = row === undefined ? whole : whole / entry.shape[0]!;
        const buffer = new ArrayBuffer(length);
        await readFully(handle, new Uint8Array(buffer), dataStart + entry.begin + (row ?? 0) * length, path);
        return numbers(buffer, { ...entry, begin: 0, end: length });
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Writes `tensors` to the file `path`, which appears whole or not at all. The bytes depend on the tensors and the metadata
 * only, not on the map's order, and equal those of Hugging Face's own library.
 *
 * Throws `UserError` if the file cannot be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Promise<void> {
  await writeWhole(path, safetensorsChunks(tensors, metadata));
}

/**
 * The bytes of a safetensors file, to be written one after another: first the header, then one view of each tensor's
 * own memory, so that nothing is copied.
 */
export function safetensorsChunks(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Uint8Array[] {
  // Widest type first, which keeps every tensor aligned, then by the bytes of the name.
  const sorted = [...tensors].sort(
    ([a, { data: x }], [b, { data: y }]) =>
      y.BYTES_PER_ELEMENT - x.BYTES_PER_ELEMENT || Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const entries: [string, unknown][] = [];
  const views: Uint8Array[] = [];
  let begin = 0;
  for (const [name, { shape, data }] of sorted) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (count !== data.length) {
      throw new RangeError(`Tensor ${name} of shape [${shape}] has ${data.length} numbers, not ${count}`);
    }
    if (name === METADATA) throw new RangeError(`A tensor cannot be named ${METADATA}`);
    const end = begin + data.byteLength;
    const dtype: Kind = data instanceof Float32Array ? "F32" : "I64";
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
    views.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    begin = end;
  }
  const text = headerText([[METADATA, metadata], ...entries]);
  const unpadded = Buffer.byteLength(text);
  const length = Math.ceil(unpadded / 8) * 8;
  const header = Buffer.alloc(LENGTH_BYTES + length, " ");
  header.writeBigUInt64LE(BigInt(length), 0);
  header.write(text, LENGTH_BYTES);
  return [header, ...views];
}

const METADATA = "__metadata__";

/** JSON of the pairs in their order. An object would put names such as "10" before all others. */
function headerText(pairs: readonly [string, unknown][]): string {
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`;
}

async function readHeader(
  handle: FileHandle,
  size: number,
  path: string,
): Promise<{ entries: Entry[]; metadata: Record<string, string>; dataStart: number }> {
  const invalid = (what: string) =>
    new UserError(`${what}; this is not a whole safetensors file`, { file: path });
  if (size < LENGTH_BYTES) throw invalid(`has ${size} bytes, fewer than the 8 that every file starts with`);
  const lengthBytes = Buffer.alloc(LENGTH_BYTES);
  await readFully(handle, lengthBytes, 0, path);
  const length = lengthBytes.readBigUInt64LE(0);
  if (length > LONGEST_HEADER)
    throw invalid(`says that its header has ${length} bytes, above ${LONGEST_HEADER}`);
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > size) throw invalid(`says that its header has ${length} bytes, but ends after ${size}`);

  const bytes = Buffer.alloc(Number(length));
  await readFully(handle, bytes, LENGTH_BYTES, path);
  let header: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    throw invalid("has a header that is not JSON in UTF-8");
  }
  if (!isRecord(header)) throw invalid("has a header that is not a JSON object");
  const repeated = repeatedKey(text);
  if (repeated !== undefined)
    throw invalid(`has two entries named ${JSON.stringify(repeated)} in its header`);

  const { [METADATA]: given = {}, ...described } = header;
  const metadata: Record<string, string> = {};
  if (!isRecord(given)) throw invalid(`has a ${METADATA} that is not a JSON object`);
  for (const [key, value] of Object.entries(given)) {
    if (typeof value !== "string")
      throw invalid(`has a ${METADATA} entry ${JSON.stringify(key)} that is not a text`);
    metadata[key] = value;
  }
  const entries = Object.entries(described).map(([name, value]) => readEntry(name, value, path));
  checkLayout(entries, size - dataStart, path);
  return { entries, metadata, dataStart };
}

function readEntry(name: string, value: unknown, path: string): Entry {
  const invalid = (what: string) => new UserError(`tensor ${JSON.stringify(name)} ${what}`, { file: path });
  if (!isRecord(value)) throw invalid("is not described by a JSON object");
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isKind(dtype)) {
    throw invalid(`has type ${JSON.stringify(dtype)}, expected F32, F16, BF16 or I64. Convert it first`);
  }
  if (!isSizes(shape)) throw invalid(`has shape ${JSON.stringify(shape)}, expected a list of whole numbers`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw invalid(`has data_offsets ${JSON.stringify(offsets)}, expected two whole numbers`);
  }
  const [begin, end] = offsets;
  const needed = shape.reduce((product, size) => product * size, BYTES[dtype]);
  if (begin === undefined || end === undefined || end - begin !== needed) {
    throw invalid(`takes bytes ${begin} to ${end}, but ${dtype} of shape [${shape}] has ${needed}`);
  }
  return { name, kind: dtype, shape, begin, end };
}

/** Sorts `entries` by place and makes sure that together they fill `available` bytes: no gap, no overlap, no rest. */
function checkLayout(entries: Entry[], available: number, path: string): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of entries) {
    const tensor = `tensor ${JSON.stringify(name)}`;
    if (begin !== position) {
      const what =
        begin < position ? "overlaps the tensor before it" : "leaves a gap after the tensor before it";
      throw new UserError(`${tensor} ${what}: it starts at byte ${begin}, expected ${position}`, {
        file: path,
      });
    }
    if (end > available) {
      throw new UserError(
        `${tensor} ends at byte ${end} of the data, but only ${available} are there: the file is cut short. Copy it again`,
        { file: path },
      );
    }
    position = end;
  }
  if (position !== available) {
    throw new UserError(`has ${available - position} bytes after its last tensor, expected none`, {
      file: path,
    });
  }
}

function numbers(buffer: ArrayBuffer, { kind, begin, end }: Entry): Float32Array | BigInt64Array {
  const width = BYTES[kind];
  const count = (end - begin) / width;
  // A view must start at a multiple of its width. The libraries write files so; the format does not ask for it.
  const aligned = begin % width === 0;
  const source = aligned ? buffer : buffer.slice(begin, end);
  const start = aligned ? begin : 0;
  switch (kind) {
    case "F32":
      return new Float32Array(source, start, count);
    case "I64":
      return new BigInt64Array(source, start, count);
    case "BF16":
      return fromBrainFloat(new Uint16Array(source, start, count));
    case "F16":
      return fromHalf(new Uint16Array(source, start, count));
  }
}

/** A key that some object in the JSON text has twice, which `JSON.parse` passes over. `text` must be valid JSON. */
function repeatedKey(text: string): string | undefined {
  const seen: Set<string>[] = [];
  // A scan, not a regular expression: those overflow the stack on a string of some megabytes, which metadata may hold.
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{") seen.push(new Set());
    else if (character === "}") seen.pop();
    else if (character === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      let next = i + 1;
      while (text[next] === " " || text[next] === "\n" || text[next] === "\r" || text[next] === "\t") next++;
      if (text[next] !== ":") continue;
      const key: string = JSON.parse(text.slice(start, i + 1));
      const keys = seen.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isKind(value: unknown): value is Kind {
  return typeof value === "string" && Object.hasOwn(BYTES, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
