/** Snappy's raw format, uncompressed (format_description.txt of Snappy). */

/** A block that is not Snappy's, or cut short. */
export class SnappyError extends Error {}

/** A copy of 64 bytes takes 3: no block grows by more than this. */
const MOST_GROWTH = 22;

/** @throws SnappyError, before memory is taken for more than 22 times the block. */
export function uncompress(block: Uint8Array): Uint8Array {
  let at = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw new SnappyError("is cut short");
    return value;
  };
  const little = (bytes: number): number => {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += byte() * 2 ** (8 * i);
    return value;
  };
  let size = 0;
  for (let i = 0, more = true; more; i++) {
    if (i === 5) throw new SnappyError("has no length");
    const part = byte();
    size += (part & 0x7f) * 2 ** (7 * i);
    more = part >= 0x80;
  }
  if (size > MOST_GROWTH * block.length) throw new SnappyError(`cannot hold the ${size} bytes that it names`);

  const out = new Uint8Array(size);
  let done = 0;
  const room = (length: number) => {
    if (length > size - done) throw new SnappyError("holds more than it names");
  };
  while (at < block.length) {
    const tag = byte();
    if ((tag & 3) === 0) {
      const short = tag >> 2;
      const length = 1 + (short < 60 ? short : little(short - 59));
      if (length > block.length - at) throw new SnappyError("is cut short");
      room(length);
      out.set(block.subarray(at, at + length), done);
      at += length;
      done += length;
      continue;
    }
    const near = (tag & 3) === 1;
    const length = near ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2);
    const offset = near ? (tag >> 5) * 256 + byte() : little((tag & 3) === 2 ? 2 : 4);
    if (offset === 0 || offset > done) throw new SnappyError("copies from before its start");
    room(length);
    // One by one, since what is copied may reach into what is being written.
    for (let end = done + length; done < end; done++) out[done] = out[done - offset]!;
  }
  if (done !== size) throw new SnappyError("holds less than it names");
  return out;
}
