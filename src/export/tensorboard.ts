/** TensorBoard's event files: records of TensorFlow's Event message in TFRecord's framing. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { maskedCrc32c } from "./crc32c.js";
import type { Scalar } from "./scalars.js";

/**
 * One folder a curve (a "run" of TensorBoard) below `folder`, each with one event file. Values are 32-bit there, as in all
 * event files of the old kind, which every version reads.
 */
export async function writeEventFiles(folder: string, scalars: readonly Scalar[]): Promise<void> {
  const curves = new Map<string, Scalar[]>();
  for (const scalar of scalars) {
    const own = curves.get(scalar.curve);
    if (own) own.push(scalar);
    else curves.set(scalar.curve, [scalar]);
  }
  for (const [curve, own] of curves) {
    const began = Math.min(...own.map(({ at }) => at));
    await mkdir(join(folder, curve), { recursive: true });
    // The name carries the time and a host, as TensorBoard's own do; `tfevents` is what it looks for.
    await writeFile(
      join(folder, curve, `events.out.tfevents.${String(Math.floor(began)).padStart(10, "0")}.coppice`),
      eventFile(own, began),
    );
  }
}

/** The bytes of one file. `began`: seconds since 1970 of its first record, which only names the format. */
export function eventFile(scalars: readonly Scalar[], began: number): Uint8Array {
  const version = message(double(1, began), text(3, "brain.Event:2"));
  return Buffer.concat([version, ...scalars.map(scalarEvent)].map(framed));
}

/** https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto and summary.proto */
function scalarEvent({ at, step, series, value }: Scalar): Uint8Array {
  const entry = message(text(1, series), float(2, value));
  return message(double(1, at), varint(2, step), bytes(5, message(bytes(1, entry))));
}

/** TFRecord: length (64 bits) and its checksum, content and its checksum, all little-endian. */
function framed(content: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(12 + content.length + 4);
  frame.writeBigUInt64LE(BigInt(content.length), 0);
  frame.writeUInt32LE(maskedCrc32c(frame.subarray(0, 8)), 8);
  frame.set(content, 12);
  frame.writeUInt32LE(maskedCrc32c(content), 12 + content.length);
  return frame;
}

// Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/): a field's number and type, then its value.
const [VARINT, FIXED_64, BYTES, FIXED_32] = [0, 1, 2, 5];

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

function tag(field: number, type: number): number[] {
  return wholeNumber(field * 8 + type);
}

/** Seven bits a byte, the lowest first; `value` is not negative. */
function wholeNumber(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}

function varint(field: number, value: number): Uint8Array {
  return Buffer.from([...tag(field, VARINT), ...wholeNumber(value)]);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([...tag(field, BYTES), ...wholeNumber(value.length)]), value]);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, Buffer.from(value, "utf8"));
}

function double(field: number, value: number): Uint8Array {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(value);
  return Buffer.concat([Buffer.from(tag(field, FIXED_64)), out]);
}

function float(field: number, value: number): Uint8Array {
  const out = Buffer.alloc(4);
  out.writeFloatLE(value);
  return Buffer.concat([Buffer.from(tag(field, FIXED_32)), out]);
}
