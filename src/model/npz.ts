/**
 * Arrays out of a `.npz`, a zip archive of `.npy` files (numpy.lib.format, versions 1 to 3), read as data: an array of Python
 * objects is a pickle, and is refused.
 */

import { UserError } from "../errors.js";
import { openToRead } from "./files.js";
import { fromHalf } from "./half.js";
import { readZipEntry, zipEntries } from "./zip.js";

export interface NpzArray {
  readonly shape: readonly number[];
  /** Row-major; 16-bit numbers arrive as 32-bit ones, exactly. Bytes are bytes, with a sign or without. */
  readonly data: Float32Array | Uint8Array;
}

const SUFFIX = ".npy";
const MAGIC = Buffer.from("\x93NUMPY", "latin1");
const WIDTHS = { f4: 4, f2: 2, i1: 1, u1: 1 } as const;
type Kind = keyof typeof WIDTHS;

/** Numbers do not shrink to less than a small part of themselves; a file that grows more was made to fill the memory. */
const MOST_GROWTH = 50;
const SMALL = 1 << 20;

/**
 * Reads all arrays of the file `path`, by name.
 *
 * @throws UserError, naming the file and the array, where the archive is damaged or an array is of another type than 32-bit and
 * 16-bit real numbers and bytes.
 */
export async function readNpz(path: string): Promise<Map<string, NpzArray>> {
  const handle = await openToRead(path);
  try {
    const { size } = await handle.stat();
    const entries = await zipEntries(handle, size, path);
    const total = [...entries.values()].reduce((sum, entry) => sum + entry.size, 0);
    if (total > SMALL + MOST_GROWTH * size)
      throw new UserError(`unpacks to ${total} bytes, more than numbers do; copy the file again.`, {
        file: path,
      });
    const arrays = new Map<string, NpzArray>();
    for (const entry of entries.values()) {
      const name = entry.name.endsWith(SUFFIX) ? entry.name.slice(0, -SUFFIX.length) : entry.name;
      if (arrays.has(name))
        throw new UserError(`has two arrays ${JSON.stringify(name)}; copy the file again.`, { file: path });
      arrays.set(name, parseNpy(await readZipEntry(handle, entry, path), name, path));
    }
    return arrays;
  } finally {
    await handle.close();
  }
}

function parseNpy(buffer: ArrayBuffer, name: string, path: string): NpzArray {
  const invalid = (what: string) => new UserError(`array ${JSON.stringify(name)} ${what}`, { file: path });
  const bytes = Buffer.from(buffer);
  const version = bytes[MAGIC.length] ?? 0;
  const wide = version > 1;
  const headerStart = MAGIC.length + 2 + (wide ? 4 : 2);
  if (
    bytes.length < headerStart ||
    !bytes.subarray(0, MAGIC.length).equals(MAGIC) ||
    version < 1 ||
    version > 3
  )
    throw invalid("is not in NumPy's format; copy the file again.");
  const headerLength = wide ? bytes.readUInt32LE(MAGIC.length + 2) : bytes.readUInt16LE(MAGIC.length + 2);
  const start = headerStart + headerLength;
  if (start > bytes.length) throw invalid("is cut short; copy the file again.");
  const header = parseHeader(bytes.toString("latin1", headerStart, start));
  if (!header) throw invalid("has a header that is not NumPy's; copy the file again.");

  const { type, columnsFirst, shape } = header;
  const [, order, kind] = /^([<>|=]?)([A-Za-z]\d*)$/.exec(type ?? "") ?? [];
  if (kind?.startsWith("O"))
    throw invalid("holds Python objects, a program that Coppice does not run. Save it as numbers.");
  if (kind === undefined || !isKind(kind) || (order === ">" && WIDTHS[kind] > 1))
    throw invalid(`is of type ${type ?? "of several parts"}, expected <f4, <f2 or bytes. Convert it first.`);
  const count = shape.reduce((product, length) => product * length, 1);
  if (count * WIDTHS[kind] !== bytes.length - start)
    throw invalid(
      `has ${bytes.length - start} bytes, but shape [${shape}] of ${kind} takes ${count * WIDTHS[kind]}; copy the file again.`,
    );
  if (columnsFirst && shape.filter((length) => length > 1).length > 1)
    throw invalid("is stored column by column (fortran_order). Save it row by row.");
  return { shape, data: numbers(buffer, start, kind) };
}

function numbers(buffer: ArrayBuffer, start: number, kind: Kind): Float32Array | Uint8Array {
  if (WIDTHS[kind] === 1) return new Uint8Array(buffer, start);
  // NumPy aligns what it writes; other writers need not.
  const aligned = start % WIDTHS[kind] === 0;
  const [source, at] = aligned ? [buffer, start] : [buffer.slice(start), 0];
  return kind === "f4" ? new Float32Array(source, at) : fromHalf(new Uint16Array(source, at));
}

interface Header {
  /** Undefined for a record of several. */
  readonly type: string | undefined;
  readonly columnsFirst: boolean;
  readonly shape: readonly number[];
}

/** One key of the dictionary that a header is, as Python writes it: `'shape': (2, 3)`. */
const FIELD =
  /\s*['"](\w{1,20})['"]\s*:\s*(?:['"]([^'"\\]{0,40})['"]|(True|False)|\(([\d\s,L]{0,400})\)|\[)\s*,?\s*/y;

/** What a header says; undefined where it is not one. Nothing of it is evaluated. */
function parseHeader(text: string): Header | undefined {
  const end = text.trimEnd();
  if (!end.startsWith("{") || !end.endsWith("}")) return undefined;
  const found = new Map<string, RegExpExecArray>();
  FIELD.lastIndex = 1;
  while (FIELD.lastIndex < end.length - 1) {
    const field = FIELD.exec(end);
    if (!field || found.has(field[1]!)) return undefined;
    // A record's type, a list of types: no array of a model has one, and what follows is not read.
    if (field[0].trimEnd().endsWith("[")) return { type: undefined, columnsFirst: false, shape: [] };
    found.set(field[1]!, field);
  }
  const [type, order, sizes] = [
    found.get("descr")?.[2],
    found.get("fortran_order")?.[3],
    found.get("shape")?.[4],
  ];
  if (found.size !== 3 || type === undefined || order === undefined || sizes === undefined) return undefined;
  const shape = sizes
    .split(",")
    .map((size) => size.trim().replace(/L$/, ""))
    .filter((size, i, all) => size !== "" || i < all.length - 1)
    .map(Number);
  if (
    !shape.every(
      (size, i) => Number.isSafeInteger(size) && size >= 0 && (sizes.split(",")[i] ?? "").trim() !== "",
    )
  )
    return undefined;
  return { type, columnsFirst: order === "True", shape };
}

function isKind(text: string): text is Kind {
  return Object.hasOwn(WIDTHS, text);
}
