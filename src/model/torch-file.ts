/**
 * Weights out of a `pytorch_model.bin`, read as data: the pickle may name tensors, their storages and dictionaries, and
 * nothing in it is run. Both layouts of `torch.save` are read: the zip archive (since PyTorch 1.6) and the older file of
 * one pickle after another, in which most OPUS-MT models of 2020 are kept.
 */

import type { FileHandle } from "node:fs/promises";
import { UserError } from "../errors.js";
import { openToRead, readFully } from "./files.js";
import { fromBrainFloat, fromHalf } from "./half.js";
import {
  type Pickled,
  PickledName,
  PickledObject,
  PickledTuple,
  PickleError,
  type PickleMeaning,
  readPickle,
} from "./pickle.js";
import type { StoredTensor, TensorReader } from "./safetensors.js";
import { readZipEntry, type ZipEntry, zipEntries } from "./zip.js";

/** Storage types that are read, and the bytes of a number in each. */
const WIDTHS = { FloatStorage: 4, HalfStorage: 2, BFloat16Storage: 2, LongStorage: 8 } as const;
/** Those that a checkpoint of training may hold beside its weights. */
const PASSED_WIDTHS = {
  DoubleStorage: 8,
  IntStorage: 4,
  ShortStorage: 2,
  CharStorage: 1,
  ByteStorage: 1,
  BoolStorage: 1,
} as const;
const ALL_WIDTHS = { ...WIDTHS, ...PASSED_WIDTHS };
type Kind = keyof typeof ALL_WIDTHS;
type Numbers = StoredTensor["data"];

/** What is asked of a storage: its type, its key in the file, and its length in numbers. */
class Storage extends PickledObject {
  constructor(
    readonly kind: Kind,
    readonly key: string,
    readonly length: number,
  ) {
    super();
  }

  get bytes(): number {
    return this.length * ALL_WIDTHS[this.kind];
  }
}

/** A view into a storage: `shape` and `stride` in numbers, from `offset` on. */
class TensorView extends PickledObject {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {
    super();
  }
}

/** A model of a thousand tensors has a pickle of some 200 kB. */
const LARGEST_PICKLE = 4 << 20;
/** First number of the older layout, `torch.serialization.MAGIC_NUMBER`. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * Reads all tensors of the file `path`: 16-bit numbers arrive as 32-bit ones, exactly.
 *
 * Throws `UserError`, naming the file, for a file that cannot be opened, is cut short, holds other than a dictionary of
 * tensors, or asks for anything but tensors of FloatStorage, HalfStorage, BFloat16Storage or LongStorage. It takes memory
 * for the file and, where numbers are widened, for the widened ones.
 */
export async function readTorchFile(path: string): Promise<Map<string, StoredTensor>> {
  const handle = await openToRead(path);
  try {
    const { value, read } = await contentOf(handle, path, false);
    return await tensorsOf(value, path, read);
  } catch (error) {
    throw explained(error, path, false);
  } finally {
    await handle.close();
  }
}

/**
 * Opens the file `path` without reading its numbers: one tensor after another can then be read and let go.
 *
 * Throws `UserError` as `readTorchFile` does, some of it only when a tensor is read.
 */
export function openTorchFile(path: string): Promise<TensorReader> {
  return open(path, false, (value) => ({ tensors: value, others: new Map() }));
}

/** The weights of a checkpoint, and what else it holds. */
export interface TrainingCheckpoint extends TensorReader {
  /** Every entry but the weights, by name: plain data as it is, classes and functions as `PickledStranger`. */
  readonly others: ReadonlyMap<string, Pickled>;
}

/**
 * Opens a checkpoint of training, as PyTorch Lightning writes it: a dictionary whose entry `state_dict` holds the weights. What
 * else is there (callbacks, the optimizer's state, objects of any class) is read past as data; nothing of it is run, and its
 * tensors are not read.
 *
 * Throws `UserError` as `openTorchFile` does; within `state_dict` nothing but tensors is let pass.
 */
export function openTrainingCheckpoint(path: string): Promise<TrainingCheckpoint> {
  return open(path, true, (value) => {
    const tensors = value instanceof Map ? value.get(STATE) : undefined;
    if (!(value instanceof Map) || tensors === undefined)
      throw new PickleError(`has no dictionary with the entry ${STATE}`);
    const others = new Map<string, Pickled>();
    for (const [name, other] of value)
      if (typeof name === "string" && name !== STATE) others.set(name, other);
    return { tensors, others };
  });
}

const STATE = "state_dict";

async function open(
  path: string,
  strangersPass: boolean,
  parts: (value: Pickled) => { tensors: Pickled; others: ReadonlyMap<string, Pickled> },
): Promise<TrainingCheckpoint> {
  const handle = await openToRead(path);
  try {
    const { value, read } = await contentOf(handle, path, strangersPass);
    const { tensors, others } = parts(value);
    const views = viewsOf(tensors);
    return {
      others,
      shapes: new Map([...views].map(([name, { shape }]) => [name, shape] as const)),
      read: async (name, row) => {
        const view = views.get(name);
        if (!view) throw new Error(`no tensor is named ${name}`);
        const { storage, offset, shape, stride } = view;
        try {
          const source = numbersOf(await read(storage), storage.kind);
          if (row === undefined) return take(source, offset, shape, stride);
          // A copy, which does not keep the whole storage in memory.
          return take(source, offset + row * stride[0]!, shape.slice(1), stride.slice(1)).slice();
        } catch (error) {
          throw explained(error, path, strangersPass);
        }
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw explained(error, path, strangersPass);
  }
}

/** What a user is told where the pickle is none of weights. */
function explained(error: unknown, path: string, ofTraining: boolean): unknown {
  if (!(error instanceof PickleError)) return error;
  const advice = ofTraining
    ? "Copy the checkpoint again, or convert its state_dict to safetensors."
    : "Coppice reads weights alone: load the model in Transformers and save it as safetensors.";
  return new UserError(`${error.message}. ${advice}`, { file: path }, { cause: error });
}

/** What a file's pickle says, and how the bytes of a storage are read. */
interface Content {
  readonly value: Pickled;
  readonly read: (storage: Storage) => Promise<ArrayBuffer>;
}

async function contentOf(handle: FileHandle, path: string, strangersPass: boolean): Promise<Content> {
  const { size } = await handle.stat();
  const first = new Uint8Array(Math.min(size, 4));
  await readFully(handle, first, 0, path);
  const zipped = first[0] === 0x50 && first[1] === 0x4b;
  const meaning = new TorchMeaning(strangersPass);
  return zipped ? readArchive(handle, size, path, meaning) : readOlder(handle, size, path, meaning);
}

async function readArchive(
  handle: FileHandle,
  size: number,
  path: string,
  meaning: TorchMeaning,
): Promise<Content> {
  const entries = await zipEntries(handle, size, path);
  const content = (entry: ZipEntry) => readZipEntry(handle, entry, path);
  for (const { name, compressed } of entries.values())
    if (compressed)
      throw new UserError(
        `compresses its entry ${JSON.stringify(name)}, which PyTorch never does; copy the file again.`,
        {
          file: path,
        },
      );
  const pickle = [...entries.values()].find(({ name }) => name.endsWith("/data.pkl"));
  if (!pickle) throw new UserError("is a zip archive without data.pkl, not PyTorch's.", { file: path });
  if (pickle.size > LARGEST_PICKLE) throw new PickleError(`has a pickle of ${pickle.size} bytes`);
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const order = entries.get(`${folder}byteorder`);
  if (order && order.size < 16 && Buffer.from(await content(order)).toString() !== "little")
    throw new PickleError("has its numbers in big-endian order");
  const { value } = readPickle(new Uint8Array(await content(pickle)), 0, meaning);
  const read = async ({ key, bytes, length }: Storage) => {
    const entry = entries.get(`${folder}data/${key}`);
    if (!entry || entry.size !== bytes)
      throw new PickleError(
        `has ${entry ? `${entry.size} bytes` : "no entry"} for storage ${JSON.stringify(key)} of ${length} numbers`,
      );
    return content(entry);
  };
  return { value, read };
}

/** Pickles of a magic number, a version, the machine, the object and the storages' keys; then each storage. */
async function readOlder(
  handle: FileHandle,
  size: number,
  path: string,
  meaning: TorchMeaning,
): Promise<Content> {
  const head = new Uint8Array(Math.min(size, LARGEST_PICKLE));
  await readFully(handle, head, 0, path);
  let at = 0;
  const next = () => {
    const { value, end } = readPickle(head, at, meaning);
    at = end;
    return value;
  };
  if (size === 0 || head[0] !== 0x80 || next() !== MAGIC)
    throw new UserError("is not a file of PyTorch's torch.save; copy it again.", { file: path });
  next(); // The version of the layout, 1001 in every file.
  const machine = next();
  if (machine instanceof Map && machine.get("little_endian") === false)
    throw new PickleError("has its numbers in big-endian order");
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new PickleError("has no list of its storages");
  const places = new Map<Pickled, number>();
  for (const key of keys) {
    const storage = meaning.storages.get(key);
    if (!storage) throw new PickleError("has a storage that no tensor uses, so that its end is not known");
    places.set(key, at + 8);
    at += 8 + storage.bytes;
    if (at > size) throw new PickleError("is cut short");
  }
  const read = async ({ key, bytes, length }: Storage) => {
    const place = places.get(key);
    if (place === undefined) throw new PickleError(`has no storage ${JSON.stringify(key)}`);
    const count = new DataView(new ArrayBuffer(8));
    await readFully(handle, new Uint8Array(count.buffer), place - 8, path);
    if (count.getBigInt64(0, true) !== BigInt(length))
      throw new PickleError(`has another length for storage ${JSON.stringify(key)} than its tensors say`);
    const buffer = new ArrayBuffer(bytes);
    await readFully(handle, new Uint8Array(buffer), place, path);
    return buffer;
  };
  return { value, read };
}

const [REBUILD, PARAMETER, ORDERED] = [
  "torch._utils _rebuild_tensor_v2",
  "torch._utils _rebuild_parameter",
  "collections OrderedDict",
] as const;

/** What the names in one file stand for. */
class TorchMeaning implements PickleMeaning {
  readonly names: ReadonlySet<string>;
  readonly strangersPass: boolean;
  /** Every storage that the file refers to, by key. */
  readonly storages = new Map<Pickled, Storage>();

  constructor(strangersPass: boolean) {
    const kinds = Object.keys(strangersPass ? ALL_WIDTHS : WIDTHS).map((kind) => `torch ${kind}`);
    this.names = new Set([REBUILD, PARAMETER, ORDERED, ...kinds]);
    this.strangersPass = strangersPass;
  }

  make(name: string, args: readonly Pickled[]): Pickled | undefined {
    if (name === ORDERED) return args.length === 0 ? new Map() : undefined;
    // A parameter is its tensor, with flags that say how it was trained.
    if (name === PARAMETER) return args[0] instanceof TensorView ? args[0] : undefined;
    return name === REBUILD ? rebuild(args) : undefined;
  }

  persistent(id: Pickled): Pickled | undefined {
    if (!(id instanceof PickledTuple)) return undefined;
    const [what, type, key, , length, view] = id.items;
    if (what !== "storage" || !(type instanceof PickledName) || typeof key !== "string" || !isCount(length))
      return undefined;
    // The older layout may put several storages into one; no model of Transformers does.
    if (view !== undefined && view !== null) return undefined;
    const kind = type.name.slice("torch ".length);
    if (!isKind(kind)) return undefined;
    const storage = new Storage(kind, key, length);
    this.storages.set(key, storage);
    return storage;
  }
}

function rebuild([storage, offset, size, stride]: readonly Pickled[]): Pickled | undefined {
  const [shape, steps] = [countsOf(size), countsOf(stride)];
  if (!(storage instanceof Storage) || !isCount(offset) || !shape || !steps || shape.length !== steps.length)
    return undefined;
  const elements = shape.reduce((product, length) => product * length, 1);
  const last = shape.reduce((at, length, axis) => at + (length - 1) * steps[axis]!, offset);
  // A view with more numbers than its storage would be a small file that asks for much memory.
  if (elements > storage.length || (elements > 0 && last >= storage.length)) return undefined;
  return new TensorView(storage, offset, shape, steps);
}

/** The tensors of a state_dict by name. @throws PickleError if it is anything else. */
function viewsOf(value: Pickled): Map<string, TensorView> {
  if (!(value instanceof Map)) throw new PickleError("holds no dictionary of tensors");
  const views = new Map<string, TensorView>();
  for (const [name, view] of value) {
    if (typeof name !== "string" || !(view instanceof TensorView))
      throw new PickleError(
        `holds ${typeof name === "string" ? JSON.stringify(name) : "an entry"}, which is no tensor`,
      );
    if (!isRead(view.storage.kind))
      throw new PickleError(`holds ${JSON.stringify(name)} as torch.${view.storage.kind}, which is not read`);
    views.set(name, view);
  }
  return views;
}

async function tensorsOf(
  value: Pickled,
  path: string,
  read: (storage: Storage) => Promise<ArrayBuffer>,
): Promise<Map<string, StoredTensor>> {
  const storages = new Map<string, { storage: Storage; numbers: Numbers; left: number }>();
  const done = new Map<string, Numbers>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { storage, offset, shape, stride }] of viewsOf(value)) {
    let source = storages.get(storage.key);
    if (!source) {
      source = { storage, numbers: numbersOf(await read(storage), storage.kind), left: storage.length };
      storages.set(storage.key, source);
    }
    if (source.storage.kind !== storage.kind || source.storage.length !== storage.length)
      throw new PickleError(`has two descriptions of storage ${JSON.stringify(storage.key)}`);
    // Tied weights are several names for one view, and share its memory.
    const view = JSON.stringify([storage.key, offset, shape, stride]);
    const data = done.get(view) ?? take(source.numbers, offset, shape, stride);
    if (!done.has(view)) {
      source.left -= data.length;
      if (source.left < 0)
        throw new UserError(`tensor "${name}" overlaps another. Save the model as safetensors.`, {
          file: path,
        });
    }
    done.set(view, data);
    tensors.set(name, { shape, data });
  }
  return tensors;
}

/** The numbers of a view, row by row. */
function take(source: Numbers, offset: number, shape: readonly number[], stride: readonly number[]): Numbers {
  const count = shape.reduce((product, length) => product * length, 1);
  let step = 1;
  const whole = shape.every((_, i) => {
    const axis = shape.length - 1 - i;
    const fits = shape[axis] === 1 || stride[axis] === step;
    step *= shape[axis]!;
    return fits;
  });
  if (whole) return source.subarray(offset, offset + count);
  const indices = Array.from({ length: count }, (_, flat) => {
    let [rest, at] = [flat, offset];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * stride[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return at;
  });
  return source instanceof Float32Array
    ? Float32Array.from(indices, (at) => source[at]!)
    : BigInt64Array.from(indices, (at) => source[at]!);
}

function numbersOf(buffer: ArrayBuffer, kind: Kind): Numbers {
  switch (kind) {
    case "FloatStorage":
      return new Float32Array(buffer);
    case "HalfStorage":
      return fromHalf(new Uint16Array(buffer));
    case "BFloat16Storage":
      return fromBrainFloat(new Uint16Array(buffer));
    case "LongStorage":
      return new BigInt64Array(buffer);
    default:
      throw new Error(`no tensor of ${kind} is read`);
  }
}

function countsOf(value: Pickled | undefined): number[] | undefined {
  const items = value instanceof PickledTuple ? value.items : undefined;
  return items?.every(isCount) ? [...items] : undefined;
}

function isCount(value: Pickled | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isKind(text: string): text is Kind {
  return Object.hasOwn(ALL_WIDTHS, text);
}

function isRead(kind: Kind): kind is keyof typeof WIDTHS {
  return Object.hasOwn(WIDTHS, kind);
}
