/** CRC-32C (Castagnoli), the checksum of TensorFlow's files; four bytes a step (slicing-by-4). */

const POLYNOMIAL = 0x82f63b78;

/** `TABLES[k][byte]`: what a byte with `k` more behind it does to the remainder. */
const TABLES = tables();

function tables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    first[byte] = crc;
  }
  const behind = (table: Int32Array) => table.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!);
  const second = behind(first);
  const third = behind(second);
  return [first, second, third, behind(third)];
}

/** The checksum of `bytes`, from 0 to 2³² − 1. */
export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = TABLES;
  let crc = -1;
  let at = 0;
  const step = () => {
    crc = (crc >>> 8) ^ t0[(crc ^ bytes[at++]!) & 0xff]!;
  };
  while (at < bytes.length && (bytes.byteOffset + at) % 4 !== 0) step();
  if (at < bytes.length) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (bytes.length - at) >> 2);
    for (let i = 0; i < words.length; i++) {
      crc ^= words[i]!;
      crc = t3[crc & 0xff]! ^ t2[(crc >>> 8) & 0xff]! ^ t1[(crc >>> 16) & 0xff]! ^ t0[crc >>> 24]!;
    }
    at += 4 * words.length;
  }
  while (at < bytes.length) step();
  return ~crc >>> 0;
}

/** A checksum as TensorFlow and LevelDB store it, so that it is not the checksum of bytes that hold it (crc32c.h, `Mask`). */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
