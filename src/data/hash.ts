/** Repeatable chance for data: a number that depends on a seed and a key and on nothing else. */

import { createHash } from "node:crypto";

/** A number in [0, 1) with 48 random bits. Keys of different lengths or parts never collide by concatenation. */
export function hashUnit(seed: number, ...key: (string | number)[]): number {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...key]))
    .digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
