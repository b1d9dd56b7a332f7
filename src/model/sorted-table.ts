/**
 * Keys and values of a sorted table file: LevelDB's format, in which TensorFlow keeps the index of a checkpoint
 * (doc/table_format.md of LevelDB; tensorflow/core/lib/io/format.cc).
 */

import { maskedCrc32c } from "./crc32c.js";
import { SnappyError, uncompress } from "./snappy.js";

/** A file that is no such table, or a damaged one. The message goes on from the file's name. */
export class TableError extends Error {}

export interface TableEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Where a block lies, without the byte of its kind and the checksum behind it. */
interface Handle {
  readonly start: number;
  readonly size: number;
}

const MAGIC = 0xdb4775248b80fb57n;
/** Two handles, padded to 40 bytes, and the magic number. */
const FOOTER_BYTES = 48;
/** Kind of compression, and checksum. */
const TRAILER_BYTES = 5;
const [PLAIN, SNAPPY] = [0, 1];

/** All entries, in the order of their keys. @throws TableError */
export function* tableEntries(file: Uint8Array): Generator<TableEntry> {
  if (file.length < FOOTER_BYTES) throw new TableError(`has ${file.length} bytes, fewer than any table`);
  const footer = new Reader(file.subarray(file.length - FOOTER_BYTES));
  if (footer.view.getBigUint64(FOOTER_BYTES - 8, true) !== MAGIC)
    throw new TableError("does not end as a table does");
  footer.handle(); // Of filters, which TensorFlow does not write.
  const index = blockAt(file, footer.handle());
  let before: Uint8Array | undefined;
  for (const { value } of blockEntries(index)) {
    for (const entry of blockEntries(blockAt(file, new Reader(value).handle()))) {
      if (before && Buffer.compare(before, entry.key) >= 0)
        throw new TableError("has keys that are not in order");
      before = entry.key;
      yield entry;
    }
  }
}

function blockAt(file: Uint8Array, { start, size }: Handle): Uint8Array {
  const end = start + size;
  if (end + TRAILER_BYTES > file.length - FOOTER_BYTES) throw new TableError("has a block beyond its end");
  const checked = file.subarray(start, end + 1);
  const stored = new DataView(file.buffer, file.byteOffset + end + 1).getUint32(0, true);
  if (maskedCrc32c(checked) !== stored) throw new TableError("has a block whose checksum is wrong");
  const block = checked.subarray(0, size);
  const kind = checked[size]!;
  if (kind === PLAIN) return block;
  if (kind !== SNAPPY) throw new TableError(`has a block compressed in a way (${kind}) that is not known`);
  try {
    return uncompress(block);
  } catch (error) {
    if (error instanceof SnappyError) throw new TableError(`has a block that ${error.message}`);
    throw error;
  }
}

/** The entries of a block, each key written as what it shares with the one before and the rest. */
function* blockEntries(block: Uint8Array): Generator<TableEntry> {
  if (block.length < 4) throw new TableError("has a block that is cut short");
  const restarts = new DataView(block.buffer, block.byteOffset).getUint32(block.length - 4, true);
  const end = block.length - 4 * (1 + restarts);
  if (end < 0) throw new TableError("has a block that is cut short");
  const reader = new Reader(block.subarray(0, end));
  let key = new Uint8Array();
  while (reader.at < end) {
    const [shared, rest, size] = [reader.varint(), reader.varint(), reader.varint()];
    if (shared > key.length) throw new TableError("has a key that shares more than there is");
    const next = new Uint8Array(shared + reader.need(rest));
    next.set(key.subarray(0, shared));
    next.set(reader.bytes(rest), shared);
    key = next;
    yield { key, value: reader.bytes(size) };
  }
}

/** Reads on from where it stands. */
class Reader {
  readonly view: DataView;
  at = 0;

  constructor(readonly source: Uint8Array) {
    this.view = new DataView(source.buffer, source.byteOffset, source.length);
  }

  /** `length`, if so many bytes are left. */
  need(length: number): number {
    if (length > this.source.length - this.at) throw new TableError("has a block that is cut short");
    return length;
  }

  bytes(length: number): Uint8Array {
    const start = this.at;
    this.at += this.need(length);
    return this.source.subarray(start, this.at);
  }

  /** Up to 2⁴⁹, far more than any file has. */
  varint(): number {
    let value = 0;
    for (let i = 0; i < 7; i++) {
      const [byte] = this.bytes(1);
      value += (byte! & 0x7f) * 2 ** (7 * i);
      if (byte! < 0x80) return value;
    }
    throw new TableError("has a number that is too large");
  }

  handle(): Handle {
    return { start: this.varint(), size: this.varint() };
  }
}
