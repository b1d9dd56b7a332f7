/** A training run's state as one file: enough to go on with the same bits after a kill. */

import { open, readFile } from "node:fs/promises";

const MAGIC = 0x434f5031; // "COP1"

/** Writes named float buffers and a small JSON value; the caller makes the write atomic. */
export async function writeState(
  path: string,
  buffers: Readonly<Record<string, Float32Array>>,
  facts: unknown,
): Promise<void> {
  const names = Object.keys(buffers);
  const header = Buffer.from(
    JSON.stringify({ facts, buffers: names.map((name) => ({ name, length: buffers[name]!.length })) }),
  );
  const start = Buffer.alloc(8);
  start.writeUInt32LE(MAGIC, 0);
  start.writeUInt32LE(header.length, 4);
  const file = await open(path, "w");
  try {
    // Not `write`: on a nearly full disk that writes a part, without an error.
    await file.writeFile(start);
    await file.writeFile(header);
    for (const name of names) {
      const { buffer, byteOffset, byteLength } = buffers[name]!;
      await file.writeFile(new Uint8Array(buffer, byteOffset, byteLength));
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

export interface State {
  readonly buffers: Readonly<Record<string, Float32Array>>;
  readonly facts: unknown;
}

/** What `writeState` wrote; undefined when the file is not such a state or is cut short. */
export async function readState(path: string): Promise<State | undefined> {
  const bytes = await readFile(path);
  if (bytes.length < 8 || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  let at = 8 + bytes.readUInt32LE(4);
  const header = parseHeader(bytes.subarray(8, at).toString());
  if (!header) return undefined;
  const buffers: Record<string, Float32Array> = {};
  for (const { name, length } of header.buffers) {
    const part = bytes.subarray(at, at + 4 * length);
    if (part.length !== 4 * length) return undefined;
    // Copied: the file's buffer may lie at any address, floats need multiples of four.
    buffers[name] = new Float32Array(Uint8Array.from(part).buffer);
    at += 4 * length;
  }
  return { buffers, facts: header.facts };
}

interface Header {
  facts: unknown;
  buffers: { name: string; length: number }[];
}

function parseHeader(text: string): Header | undefined {
  try {
    // Behind the magic number stands what this module wrote, whole or cut.
    return JSON.parse(text) as Header;
  } catch {
    return undefined;
  }
}
