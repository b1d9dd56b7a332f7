/** Where the entries of a zip archive lie, and what they hold (APPNOTE 6.3.3, zip64 included): as they are, or deflated. */

import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { UserError } from "../errors.js";
import { readFully } from "./files.js";

export interface ZipEntry {
  readonly name: string;
  /** First byte of what is stored of it, in the file. */
  readonly start: number;
  /** Bytes that are stored of it. */
  readonly stored: number;
  /** Bytes of its content: as many where it is not compressed. */
  readonly size: number;
  readonly compressed: boolean;
}

const inflate = promisify(inflateRaw);
const [STORE, DEFLATE] = [0, 8];
/** Of an entry's flags: it is encrypted. */
const SECRET = 1;
/** Deflate makes no more of a byte. */
const MOST_OF_A_BYTE = 1032;

/** The record at the end, and the longest comment behind it. */
const [END_BYTES, LONGEST_COMMENT] = [22, 0xffff];
const [END, END_64, LOCATOR_64, ENTRY, LOCAL] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50];
/** Of a 32-bit field whose true value stands in a zip64 record. */
const ELSEWHERE = 0xffffffff;
/** A directory of weights has some 60 bytes an entry. */
const LARGEST_DIRECTORY = 64 << 20;

/**
 * The entries of an archive, by name. Sizes are the directory's, so that what a writer put behind an entry it could not seek
 * back to (a data descriptor) is not needed.
 *
 * @throws UserError where the archive is cut short, encrypts an entry, compresses it other than by deflate, repeats a name, or
 * names places outside the file.
 */
export async function zipEntries(
  handle: FileHandle,
  size: number,
  path: string,
): Promise<Map<string, ZipEntry>> {
  const invalid = (what: string) => new UserError(`${what}; copy the file again.`, { file: path });
  const read = async (start: number, length: number): Promise<DataView<ArrayBuffer>> => {
    if (!(start >= 0 && start + length <= size)) throw invalid("points outside itself, as a zip archive");
    const bytes = new Uint8Array(length);
    await readFully(handle, bytes, start, path);
    return new DataView(bytes.buffer);
  };
  const long = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

  const tailBytes = Math.min(size, END_BYTES + LONGEST_COMMENT);
  const tail = await read(size - tailBytes, tailBytes);
  let at = tailBytes - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END) at--;
  if (at < 0) throw invalid("has no zip directory at its end: it is cut short");
  let [count, length, start] = [
    tail.getUint16(at + 10, true),
    tail.getUint32(at + 12, true),
    tail.getUint32(at + 16, true),
  ];
  if (at >= 20 && tail.getUint32(at - 20, true) === LOCATOR_64) {
    const end = await read(long(tail, at - 12), 56);
    if (end.getUint32(0, true) !== END_64) throw invalid("has a zip64 directory that is not where it says");
    [count, length, start] = [long(end, 32), long(end, 40), long(end, 48)];
  }
  if (length > LARGEST_DIRECTORY) throw invalid(`has a zip directory of ${length} bytes`);

  const directory = await read(start, length);
  const entries = new Map<string, ZipEntry>();
  let next = 0;
  let content = 0;
  for (let i = 0; i < count; i++) {
    if (next + 46 > length || directory.getUint32(next, true) !== ENTRY)
      throw invalid("has a zip directory that is cut short");
    const method = directory.getUint16(next + 10, true);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      directory.getUint16(next + field, true),
    ) as [number, number, number];
    const end = next + 46 + nameBytes + extraBytes + commentBytes;
    if (end > length) throw invalid("has a zip directory that is cut short");
    const name = Buffer.from(directory.buffer, next + 46, nameBytes).toString("utf8");
    if ((method !== STORE && method !== DEFLATE) || directory.getUint16(next + 8, true) & SECRET)
      throw invalid(`encrypts its entry ${JSON.stringify(name)}, or compresses it in a way that is not read`);
    if (entries.has(name)) throw invalid(`has two entries ${JSON.stringify(name)}`);
    let stored = directory.getUint32(next + 20, true);
    let bytes = directory.getUint32(next + 24, true);
    let header = directory.getUint32(next + 42, true);
    const extra = wideFields(directory, next + 46 + nameBytes, extraBytes);
    if (bytes === ELSEWHERE) bytes = extra.shift() ?? bytes;
    if (stored === ELSEWHERE) stored = extra.shift() ?? stored;
    if (header === ELSEWHERE) header = extra.shift() ?? header;
    const local = await read(header, 30);
    if (local.getUint32(0, true) !== LOCAL)
      throw invalid(`has no entry ${JSON.stringify(name)} where it says`);
    const first = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    content += stored;
    // Entries that overlap would be read into more memory than the file has bytes.
    if (!(first + stored <= size && content <= size))
      throw invalid(`ends before its entry ${JSON.stringify(name)} does`);
    const compressed = method === DEFLATE;
    if (compressed ? bytes > stored * MOST_OF_A_BYTE : bytes !== stored)
      throw invalid(`has two sizes for its entry ${JSON.stringify(name)} that cannot both be right`);
    entries.set(name, { name, start: first, stored, size: bytes, compressed });
    next = end;
  }
  return entries;
}

/** The content of an entry. @throws UserError where it is not as long as the directory says, or damaged. */
export async function readZipEntry(
  handle: FileHandle,
  { name, start, stored, size, compressed }: ZipEntry,
  path: string,
): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(stored);
  await readFully(handle, bytes, start, path);
  if (!compressed) return bytes.buffer;
  let content: Buffer | undefined;
  try {
    content = await inflate(bytes, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw new UserError(
      `has a damaged entry ${JSON.stringify(name)}; copy the file again.`,
      { file: path },
      { cause },
    );
  }
  if (content.length !== size)
    throw new UserError(
      `has ${content.length} bytes in its entry ${JSON.stringify(name)}, expected ${size}; copy the file again.`,
      { file: path },
    );
  const whole = new ArrayBuffer(size);
  new Uint8Array(whole).set(content);
  return whole;
}

/** The 64-bit numbers of an entry's zip64 field, in their order. */
function wideFields(directory: DataView, start: number, length: number): number[] {
  for (let at = start; at + 4 <= start + length; ) {
    const [id, bytes] = [directory.getUint16(at, true), directory.getUint16(at + 2, true)];
    if (id === 1) {
      const fields: number[] = [];
      for (let i = at + 4; i + 8 <= Math.min(at + 4 + bytes, start + length); i += 8)
        fields.push(Number(directory.getBigUint64(i, true)));
      return fields;
    }
    at += 4 + bytes;
  }
  return [];
}
