/** Dropout masks from the counter-based generator: a mask depends on (seed, step, site, element) and nothing else. */

import type { Key } from "./random.js";

/**
 * Fills `mask` with 0 (dropped) and 1/(1 − rate) (kept). The rate is rounded to 1/256: each element takes one of the
 * four bytes of a hashed counter (the finaliser of MurmurHash3, two rounds).
 */
export function fillDropoutMask(mask: Float32Array, rate: number, key: Key): void {
  const limit = Math.round(rate * 256);
  const kept = 256 / (256 - limit);
  const [k0, k1] = [key[0] | 0, key[1] | 0];
  const whole = mask.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const bits = hash(i, k0, k1);
    mask[i] = (bits & 255) < limit ? 0 : kept;
    mask[i + 1] = ((bits >>> 8) & 255) < limit ? 0 : kept;
    mask[i + 2] = ((bits >>> 16) & 255) < limit ? 0 : kept;
    mask[i + 3] = bits >>> 24 < limit ? 0 : kept;
  }
  const rest = hash(whole, k0, k1);
  for (let i = whole; i < mask.length; i++) mask[i] = ((rest >>> (8 * (i - whole))) & 255) < limit ? 0 : kept;
}

function hash(counter: number, k0: number, k1: number): number {
  let h = Math.imul(counter + k0, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) ^ k1;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return h ^ (h >>> 15);
}
